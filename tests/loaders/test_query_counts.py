"""Every relation of the schema costs the same for few rows and for many: no N+1 anywhere."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from strawberry.types.base import StrawberryObjectDefinition

from resolvers.scope import Scope
from samplemind.domain.analysis import AnalysisStatus
from samplemind.domain.delivery import Delivery
from samplemind.domain.ids import new_id, now
from samplemind.domain.webhook import Webhook, WebhookEvent
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import encode_id
from schema.root import graphql_schema
from tests.domain.models import analysis, audio_file, batch_job, embedding, findings, minutes, user
from tests.store.commands import recorded_commands

FEW, MANY = 3, 21
_EVENTS = (WebhookEvent.BATCH_JOB_FINISHED,)


def _files(asked: str) -> str:
    return f"{{ audioFiles {{ edges {{ node {{ id {asked} }} }} }} }}"


def _owners(asked: str) -> str:
    return _files(f"owner {{ {asked} }}")


def _analyses(asked: str) -> str:
    return _files(f"analysis {{ {asked} }}")


def _batches(asked: str) -> str:
    return f"{{ batchJobs {{ edges {{ node {{ id {asked} }} }} }} }}"


def _webhooks(asked: str) -> str:
    return f"{{ viewer {{ webhooks {{ id {asked} }} }} }}"


def _items(asked: str) -> str:
    return (
        "query ($batch: ID!) { node(id: $batch) { ... on BatchJob { items { edges { node {"
        f" status {asked} }} }} }} }} }} }}"
    )


_PAGE = "(first: 2) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } }"

# An operation in which the relation stands under each row of a list.
RELATIONS = {
    "AudioFile.owner": _files("owner { username }"),
    "AudioFile.analysis": _files("analysis { id labels { name } }"),
    "AudioFile.analyses": _files(f"analyses{_PAGE}"),
    "AudioFile.suggestedTags": _files("suggestedTags { name score source reason }"),
    "AudioFile.similarTo": _files(f"similarTo{_PAGE}"),
    "AudioFile.duplicates": _files("duplicates { id filename }"),
    "Analysis.audioFile": _analyses("audioFile { filename }"),
    "BatchItem.audioFile": _items("audioFile { filename }"),
    "BatchItem.analysis": _items("analysis { id kind }"),
    "BatchJob.owner": _batches("owner { username }"),
    "BatchJob.items": _batches(f"items{_PAGE.replace('node { id }', 'node { status }')}"),
    "User.totalUploads": _owners("totalUploads"),
    "User.totalAnalyses": _owners("totalAnalyses"),
    "User.aiUsage": _owners("aiUsage { costUsd }"),
    "User.apiKeys": _owners("apiKeys { name }"),
    "User.webhooks": _owners("webhooks { url }"),
    "Webhook.deliveries": _webhooks(f"deliveries{_PAGE}"),
    "User.audioFiles": _owners(f"audioFiles{_PAGE}"),
    "AudioFileConnection.totalCount": _owners("audioFiles { totalCount }"),
    "SimilarAudioFileEdge.reasons": "query ($file: ID!) { similarTo(target: {audioFileId: $file},"
    " first: 20) { edges { reasons { timbre } } } }",
}

# Further shapes of the same: with arguments, more than one deep.
DEEPER = {
    "analyses from the end": _files(f"analyses{_PAGE.replace('first', 'last')}"),
    "items of a status": _batches(
        "items(status: SUCCEEDED, last: 2) { edges { node { audioFile { id } } } }"
    ),
    "deliveries of a status": _webhooks(
        f"deliveries{_PAGE.replace('first', 'status: PENDING, last')}"
    ),
    "reasons under a list": _files(
        "similarTo(first: 3) { edges { reasons { timbre } node { analysis { kind } } } }"
    ),
    "similar under a filter": _files(
        'similarTo(first: 2, filter: {labels: ["bass"]}) { edges { node { owner { id } } } }'
    ),
    "there and back": _analyses(
        "audioFile { analyses(first: 3) { edges { node { audioFile { id analysis { id } } } } } }"
    ),
    "nodes": "query ($files: [ID!]!) { nodes(ids: $files) { id ... on AudioFile {"
    " analysis { id } analyses { edges { node { id } } } } } }",
    "blend": "query ($file: ID!, $files: [ID!]!) { similarTo(target: {blend: {like: [$file],"
    " unlike: []}}) { edges { node { analysis { id } } reasons { pitch } } }"
    " nodes(ids: $files) { id } }",
}

# What has a resolver and no row above it: it is asked once an operation.
ONCE = {"BatchJobConnection.totalCount"}

# What reads no documents and no vectors: made of the row, or of the sound's bytes.
OF_THE_SOUND = {"AudioFile.url", "AudioFile.waveform"}


class Library:
    """An owner's `count` files that sound alike, each with three analyses, and `count` batches."""

    def __init__(self, parts: Parts, count: int) -> None:
        self.count = count
        self.scope = Scope(parts, user(new_id()))
        self.variables: dict[str, Any] = {}

    async def fill(self) -> "Library":
        parts, owner, count = self.scope.parts, self.scope.owner_id, self.count
        await parts.store.users.ensure(self.scope.user)
        files = [audio_file(owner) for _ in range(count)]
        batches = [batch_job(owner, count) for _ in range(count)]
        made = [
            analysis(
                owner,
                file.id,
                status=AnalysisStatus.SUCCEEDED,
                findings=findings(embedding=_unlike_others(place), fingerprint=bytes(64)),
                batch_id=batch.id,
                position=place,
            )
            for batch in batches[:2]
            for place, file in enumerate(files)
        ]
        others = [
            analysis(owner, files[place].id, batch_id=batch.id, position=place)
            for batch in batches[2:]
            for place in range(count)
        ]
        await parts.store.analyses.add([*made, *others])
        for batch in batches:
            await parts.store.batch_jobs.add(batch)
        await asyncio.gather(*map(parts.store.audio_files.add, files))
        await asyncio.gather(*map(parts.store.audio_files.set_analysis, made[count:]))
        for _ in range(count):
            hook = Webhook(new_id(), owner, "http://127.0.0.1", _EVENTS, "whsec_YQ==", now())
            await parts.store.webhooks.add(hook)
            for told in [Delivery(new_id(), owner, hook.id, _EVENTS[0], "", now()) for _ in "abc"]:
                await parts.store.deliveries.add(told, told.id, now() + minutes(60))
        for file, run in zip(files, made, strict=False):
            await parts.vectors.put(file, run.findings)
        ids = [encode_id("AudioFile", file.id) for file in files]
        batch = encode_id("BatchJob", batches[0].id)
        self.variables = {"file": ids[0], "files": ids, "batch": batch}
        return self

    async def ask(self, parts: Parts, query: str) -> tuple[dict[str, Any], Counter[str]]:
        """The answer, and what it took: commands to MongoDB by name, requests to Chroma."""
        with recorded_commands() as commands, _chroma_requests() as requests:
            result = await graphql_schema.execute(
                query,
                context_value=Scope(parts, self.scope.viewer),
                variable_values=self.variables,
            )
        assert result.errors is None
        assert result.data
        taken = Counter(" ".join(next(iter(command.items()))) for command in commands)
        taken["chroma"] = len(requests)
        return result.data, taken


@contextmanager
def _chroma_requests() -> Iterator[list[str]]:
    """What httpx says it has sent meanwhile: Chroma is all that is asked by it."""
    requests: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: requests.append(record.getMessage())
    logger = logging.getLogger("httpx")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield requests
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture(scope="module")
async def libraries(parts: Parts) -> list[Library]:
    return [await Library(parts, count).fill() for count in (FEW, MANY)]


@pytest.fixture
async def fresh(settings: Settings, libraries: list[Library]) -> AsyncIterator[Parts]:
    """As a process opens them that has read nothing yet."""
    parts = Parts.open(settings)
    for library in libraries:
        await parts.vectors.embeddings(library.scope.owner_id, ["none"])
    yield parts
    await parts.close()


def _unlike_others(place: int) -> tuple[float, ...]:
    """No two are as near to a third: where sounds tie, a search may take a second request."""
    chance = random.Random(place)  # noqa: S311
    return embedding(1.0, *(chance.uniform(0, 0.3) for _ in range(4)))


def _relations() -> set[str]:
    """Every field of the schema that has a resolver, but for the roots'."""
    found = set()
    roots = {"Query", "Mutation", "Subscription"}
    for name, type_ in graphql_schema.schema_converter.type_map.items():
        if isinstance(definition := type_.definition, StrawberryObjectDefinition):
            if definition.is_input or name in roots:
                continue
            names = graphql_schema.config.name_converter
            found |= {
                f"{name}.{names.get_graphql_name(field)}"
                for field in definition.fields
                if field.base_resolver
            }
    return found


def test_every_relation_has_a_case() -> None:
    assert {*RELATIONS} | ONCE == _relations() - OF_THE_SOUND


@pytest.mark.parametrize("case", [*RELATIONS, *DEEPER])
async def test_costs_the_same_for_few_and_for_many(
    fresh: Parts, libraries: list[Library], case: str
) -> None:
    query = (RELATIONS | DEEPER)[case]
    costs = []
    for library in libraries:
        data, taken = await library.ask(fresh, query)
        if case in RELATIONS:
            # The seed is not among what is alike, and a page of what is alike ends at 20.
            least = library.count - (case == "SimilarAudioFileEdge.reasons")
            assert _present(data, case.partition(".")[2]) >= least
        costs.append(taken)
    few, many = costs
    assert few == many
    assert 1 <= many.total() <= 10


async def test_a_resolver_that_asks_for_each_row_would_be_noticed(
    fresh: Parts, libraries: list[Library]
) -> None:
    """Three aliases with arguments of their own are three lists, and are counted as such."""
    _, one = await libraries[0].ask(fresh, RELATIONS["AudioFile.similarTo"])
    three = " ".join(f"a{n}: similarTo(first: {n}) {{ edges {{ cursor }} }}" for n in (1, 2, 3))
    _, many = await libraries[0].ask(fresh, _files(three))
    assert many["chroma"] >= one["chroma"] + 2


def _present(data: Any, field: str) -> int:
    """How often the answer has a value for `field`."""
    if isinstance(data, list):
        return sum(_present(each, field) for each in data)
    if not isinstance(data, dict):
        return 0
    within = sum(_present(value, field) for value in data.values())
    return within + (data.get(field) is not None)
