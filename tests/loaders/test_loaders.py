"""Loaders answer in the order asked; a list costs the same whatever its length."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from loaders import Loaders
from resolvers.scope import Scope
from samplemind.domain.analysis import AnalysisStatus
from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import encode_id
from schema.root import graphql_schema
from tests.domain.models import analysis, audio_file, batch_job, embedding, findings, user
from tests.store.commands import recorded_commands


class _Library:
    """An owner's files, each analysed, all items of one batch."""

    def __init__(self, parts: Parts) -> None:
        self.scope = Scope(parts, user(new_id()))
        self.batch = batch_job(self.scope.owner_id, 0)
        self.first_id = ""

    async def fill(self, count: int) -> "_Library":
        parts, owner = self.scope.parts, self.scope.owner_id
        await parts.store.users.ensure(self.scope.user)
        await parts.store.batch_jobs.add(self.batch)
        files = [audio_file(owner) for _ in range(count)]
        self.first_id = files[0].id
        runs = [
            analysis(
                owner,
                file.id,
                status=AnalysisStatus.SUCCEEDED,
                findings=findings(embedding=embedding(1.0, position / 100)),
                batch_id=self.batch.id,
                position=position,
            )
            for position, file in enumerate(files)
        ]
        # Many analyses of the first file: a list of their own.
        more = [analysis(owner, self.first_id) for _ in files]
        await parts.store.analyses.add([*runs, *more])
        await asyncio.gather(*map(parts.store.audio_files.add, files))
        await asyncio.gather(*map(parts.store.audio_files.set_analysis, runs))
        await asyncio.gather(
            *(parts.vectors.put(f, run.findings) for f, run in zip(files, runs, strict=True))
        )
        return self


_FILE = (
    "id filename owner { username } analysis { id tempo { bpm } key { camelot } labels { name } }"
)

# The query, where its list is, and how many commands to the documents it costs.
_QUERIES: dict[str, tuple[str, tuple[str, ...], int]] = {
    "audioFiles": (f"{{ audioFiles {{ edges {{ node {{ {_FILE} }} }} }} }}", ("audioFiles",), 2),
    "audioFiles counted": (
        f"{{ audioFiles {{ totalCount edges {{ node {{ {_FILE} }} }} }} }}",
        ("audioFiles",),
        3,
    ),
    "analyses": (
        "query ($file: ID!) { node(id: $file) { ... on AudioFile { analyses { edges { node {"
        f" status audioFile {{ {_FILE} }} }} }} }} }} }} }}",
        ("node", "analyses"),
        3,
    ),
    "items": (
        "query ($batch: ID!) { node(id: $batch) { ... on BatchJob { items { edges { node {"
        f" status audioFile {{ {_FILE} }} analysis {{ id kind }} }} }} }} }} }} }}",
        ("node", "items"),
        3,
    ),
    "similarTo": (
        "query ($file: ID!) { similarTo(target: {audioFileId: $file}) { edges {"
        f" score node {{ {_FILE} }} }} }} }}",
        ("similarTo",),
        3,
    ),
}


@pytest.fixture(scope="module")
async def libraries(parts: Parts) -> dict[int, _Library]:
    return {count: await _Library(parts).fill(count) for count in (5, 50)}


@pytest.mark.parametrize("name", _QUERIES)
async def test_a_list_costs_the_same_whatever_its_length(
    settings: Settings, libraries: dict[int, _Library], name: str
) -> None:
    query, path, cost = _QUERIES[name]
    parts = Parts.open(settings)  # of its own, so that it has read nothing yet
    for count, library in libraries.items():
        variables = {
            "file": encode_id("AudioFile", library.first_id),
            "batch": encode_id("BatchJob", library.batch.id),
        }
        with recorded_commands() as commands:
            result = await graphql_schema.execute(
                query,
                context_value=Scope(parts, library.scope.viewer),
                variable_values=variables,
            )
        assert result.errors is None
        edges: Any = result.data
        for key in path:
            edges = edges[key]
        edges = edges["edges"]
        # The seed is not alike itself; the first file has an analysis more than there are files.
        length = {"similarTo": count - 1, "analyses": min(50, count + 1)}.get(name, count)
        assert len(edges) == length
        files = [edge["node"].get("audioFile", edge["node"]) for edge in edges]
        assert all(file["owner"] and file["analysis"]["tempo"] for file in files)
        sent = [next(iter(command.items())) for command in commands]
        assert len(sent) == cost, sent
    await parts.close()


async def test_what_has_succeeded_is_read_once(settings: Settings, parts: Parts) -> None:
    owner, store = new_id(), parts.store.analyses
    done = analysis(owner, new_id(), status=AnalysisStatus.SUCCEEDED)
    running = analysis(owner, new_id(), status=AnalysisStatus.RUNNING)
    await store.add([done, running])
    reader = Parts.open(settings)
    ids = [done.id, running.id]
    assert await reader.store.analyses.by_ids(owner, ids) == [done, running]
    await store.succeed(running, findings(), 1.0)
    with recorded_commands() as commands:
        first, second = await reader.store.analyses.by_ids(owner, ids)
        assert await reader.store.analyses.by_ids(new_id(), [done.id]) == [None]
    assert first == done
    assert second is not None
    assert second.status is AnalysisStatus.SUCCEEDED
    asked = [command["filter"]["key"]["$in"] for command in commands]
    assert asked[0] == [f"{owner}:{running.id}"]
    assert len(asked) == 2  # nobody's by another owner
    await reader.close()


Load = Callable[[Loaders, list[str]], Awaitable[list[Any]]]

_LOADERS: dict[str, Load] = {
    "audio files": lambda loaders, ids: loaders.audio_files_by_id.load_many(ids),
    "analyses": lambda loaders, ids: loaders.analyses_by_id.load_many(ids),
    "batch jobs": lambda loaders, ids: loaders.batch_jobs_by_id.load_many(ids),
}


@pytest.mark.parametrize("what", _LOADERS)
async def test_a_loader_answers_in_order_with_one_query(
    parts: Parts, owner_id: str, what: str
) -> None:
    other, store = new_id(), parts.store
    theirs = analysis(other, new_id())
    mine = [analysis(owner_id, new_id()) for _ in range(2)]
    await store.analyses.add([theirs, *mine])
    known = {
        "audio files": [await store.audio_files.add(audio_file(owner_id)) for _ in range(2)],
        "analyses": mine,
        "batch jobs": [await store.batch_jobs.add(batch_job(owner_id, 1)) for _ in range(2)],
    }[what]
    hidden = {
        "audio files": (await store.audio_files.add(audio_file(other))).id,
        "analyses": theirs.id,
        "batch jobs": (await store.batch_jobs.add(batch_job(other, 1))).id,
    }[what]
    first, second = known
    ids = [second.id, "missing", first.id, hidden, second.id]
    with recorded_commands() as commands:
        found = await _LOADERS[what](Loaders(store, parts.vectors, parts.cache, owner_id), ids)
    assert found == [second, None, first, None, second]
    assert len(commands) == 1


async def test_a_scope_reads_anew_for_each_operation(parts: Parts, owner_id: str) -> None:
    scope = Scope(parts, user(owner_id))
    file = audio_file(owner_id)
    assert await scope.loaders.audio_files_by_id.load(file.id) is None
    await parts.store.audio_files.add(file)
    assert await scope.loaders.audio_files_by_id.load(file.id) is None
    assert await scope.for_operation().loaders.audio_files_by_id.load(file.id) == file
    scope.forget()
    assert await scope.loaders.audio_files_by_id.load(file.id) == file
