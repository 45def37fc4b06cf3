"""Another's things do not exist, on any path: every argument that takes an id is given every id of
somebody else's, and every field that takes none is asked for all that it can tell."""

import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLObjectType,
    GraphQLOutputType,
    build_schema,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from resolvers.scope import Scope
from samplemind.auth.callers import Caller
from samplemind.domain.analysis import AnalysisStatus
from samplemind.domain.api_key import ApiKey
from samplemind.domain.delivery import Delivery
from samplemind.domain.ids import new_id, now
from samplemind.domain.upload import Upload
from samplemind.domain.user import Role
from samplemind.domain.webhook import Webhook, WebhookEvent
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import encode_id
from schema.root import graphql_schema, sdl
from tests.domain.models import (
    analysis,
    audio_file,
    batch_job,
    embedding,
    findings,
    minutes,
    user,
)
from tests.e2e import sounds

_SCHEMA = build_schema(sdl())
_ROOTS = {"Query": "query", "Mutation": "mutation", "Subscription": "subscription"}
# How deep the answer is asked for, and what says that there is no such thing.
_DEPTH = 4
_NOT_FOUND = {"NOT_FOUND", "UPLOAD_NOT_FOUND"}
EVENTS = (WebhookEvent.BATCH_JOB_FINISHED,)
# What ends its thing comes last, where one's own are tried.
_LAST = ("cancel", "retry", "delete", "revoke")


@dataclass(frozen=True)
class Taken:
    """An argument, or a field of an input in it, that takes an id or several."""

    root: str
    field: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.root}.{self.field}({'.'.join(self.path)})"


def _taken(type_: GraphQLInputType, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    named = get_named_type(type_)
    if named.name == "ID":
        yield path
    elif isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from _taken(field.type, (*path, name))


def _fields(root: str) -> dict[str, GraphQLField]:
    type_ = _SCHEMA.type_map[root]
    assert isinstance(type_, GraphQLObjectType)
    return type_.fields


TAKEN = [
    Taken(root, name, path)
    for root in _ROOTS
    for name, field in _fields(root).items()
    for argument, given in field.args.items()
    for path in _taken(given.type, (argument,))
]
UNASKED = [
    name
    for name, field in _fields("Query").items()
    if not any(is_non_null_type(argument.type) for argument in field.args.values())
]


def _value(type_: GraphQLInputType, path: tuple[str, ...] | None, id_: str, own: str) -> Any:
    """Something of the type, with the id at the path within it; elsewhere one's `own`."""
    if is_non_null_type(type_):
        return _value(type_.of_type, path, id_, own)
    if is_list_type(type_):
        return [_value(type_.of_type, path, id_, own)]
    if isinstance(type_, GraphQLInputObjectType):
        found = {}
        for name, field in type_.fields.items():
            is_here = bool(path) and path is not None and path[0] == name
            if is_here or (is_non_null_type(field.type) and not type_.is_one_of):
                found[name] = _value(field.type, path[1:] if is_here and path else None, id_, own)
        return found
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    named = get_named_type(type_).name
    return {"ID": own if path is None else id_, "Int": 1, "Float": 1.0, "Boolean": False}.get(
        named, "anything"
    )


def _selection(type_: GraphQLOutputType, depth: int = 0) -> str:
    """All that can be asked of a value without arguments that are required."""
    named = get_named_type(type_)
    if not is_composite_type(named):
        return ""
    if not is_object_type(named):
        possible = _SCHEMA.get_possible_types(named)  # pyright: ignore
        return (
            "{"
            + " ".join(f"... on {each.name} {_selection(each, depth)}" for each in possible)
            + "}"
        )
    parts = ["__typename"]
    for name, field in named.fields.items():
        deeper = is_composite_type(get_named_type(field.type))
        if not (deeper and depth >= _DEPTH):
            # Names that several types share differ in type: an alias for each.
            parts.append(f"{named.name}_{name}: {name} {_selection(field.type, depth + 1)}")
    return "{" + " ".join(parts) + "}"


def _operation(
    root: str, name: str, path: tuple[str, ...] = (), id_: str = "", own: str = ""
) -> tuple[str, Any]:
    field, variables, declared, passed = _fields(root)[name], {}, [], []
    for argument, given in field.args.items():
        is_here = bool(path) and path[0] == argument
        if is_here or is_non_null_type(given.type):
            variables[argument] = _value(given.type, path[1:] if is_here else None, id_, own)
            declared.append(f"${argument}: {given.type}")
            passed.append(f"{argument}: ${argument}")
    head = f"({', '.join(declared)})" if declared else ""
    arguments = f"({', '.join(passed)})" if passed else ""
    text = f"{_ROOTS[root]}{head} {{ {name}{arguments} {_selection(field.type)} }}"
    return text, variables


class Person:
    """Somebody with one thing of each kind, all of which bear a mark that nobody else has."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.id, self.mark = parts, new_id(), f"mark{new_id()}"
        me = replace(user(self.id), username=self.mark, email=f"{self.mark}@example.org")
        self.viewer = replace(me, role=Role.USER)
        self.ids: dict[str, str] = {}
        self.seed = ""
        """Another file, for where one of one's own is needed besides."""

    @property
    def scope(self) -> Scope:
        return Scope(self.parts, self.viewer, caller=Caller(self.viewer, session_id="1"))

    async def fill(self) -> "Person":
        store, owner = self.parts.store, self.id
        file = audio_file(owner, filename=f"{self.mark}.wav", tags=(self.mark,))
        batch = batch_job(owner, 1)
        run = analysis(
            owner,
            file.id,
            status=AnalysisStatus.SUCCEEDED,
            # Everybody's sounds are the same, so that they would be found.
            findings=findings(embedding=embedding(1.0), fingerprint=bytes(64)),
            batch_id=batch.id,
            position=0,
        )
        key = ApiKey(new_id(), owner, self.mark, self.mark, now())
        upload = Upload(new_id(), owner, f"{self.mark}.wav", 1, now() + minutes(60))
        await store.users.ensure(self.viewer)
        await store.audio_files.add(file)
        await store.analyses.add([run])
        await store.audio_files.set_analysis(run)
        await store.batch_jobs.add(batch)
        await self.parts.vectors.put(file, run.findings)
        seed = audio_file(owner, filename=f"{self.mark}-2.wav")
        seeded = replace(run, id=new_id(), audio_file_id=seed.id, batch_id=None, position=None)
        await store.audio_files.add(seed)
        await store.analyses.add([seeded])
        await store.audio_files.set_analysis(seeded)
        await self.parts.vectors.put(seed, run.findings)
        self.seed = encode_id("AudioFile", seed.id)
        for each in (file, seed):
            content = io.BytesIO(sounds.encoded(sounds.tone()))
            await self.parts.blobs.put(each.blob_key, content)
        await store.api_keys.add(key, new_id())
        hook = Webhook(
            new_id(), owner, f"http://127.0.0.1/{self.mark}", EVENTS, "whsec_YQ==", now()
        )
        told = Delivery(new_id(), owner, hook.id, EVENTS[0], self.mark, now())
        await store.webhooks.add(hook)
        await store.deliveries.add(told, told.id, now() + minutes(60))
        await store.uploads.add(upload)
        self.ids = {
            "AudioFile": encode_id("AudioFile", file.id),
            "Analysis": encode_id("Analysis", run.id),
            "BatchJob": encode_id("BatchJob", batch.id),
            "User": encode_id("User", owner),
            "ApiKey": encode_id("ApiKey", key.id),
            "Upload": encode_id("Upload", upload.id),
            "Webhook": encode_id("Webhook", hook.id),
            "Delivery": encode_id("Delivery", told.id),
        }
        return self

    async def ask(self, root: str, text: str, variables: Any) -> tuple[str, set[str]]:
        """The answer as text, and the codes in it."""
        if root == "Subscription":
            stream = await graphql_schema.subscribe(
                text, variable_values=variables, context_value=self.scope
            )
            result = await anext(aiter(stream))
            await stream.aclose()  # pyright: ignore
        else:
            result = await graphql_schema.execute(
                text, variable_values=variables, context_value=self.scope
            )
        errors = [error.formatted for error in result.errors or ()]
        codes: set[str] = {error.get("extensions", {})["code"] for error in errors}
        for payload in (result.data or {}).values():
            if isinstance(payload, dict):
                for name, value in payload.items():
                    if name.endswith("_errors"):
                        codes |= {
                            v for each in value for k, v in each.items() if k.endswith("code")
                        }
        return json.dumps([result.data, errors], default=str), codes

    async def state(self) -> list[Any]:
        """All that is stored of the person."""
        database = self.parts.store._database
        found = []
        for name in sorted(await database.list_collection_names()):
            rows = await database[name].find({}).to_list(None)
            found += [row for row in rows if self.id in str(row)]
        found.append(await self.parts.vectors.nearest(self.id, embedding(1.0), 9))
        return found


@pytest.fixture(scope="module")
async def people(settings: Settings) -> AsyncIterator[tuple[Person, Person]]:
    limits = {
        "max_cost": 2**31 - 1,
        "max_aliases": 100_000,
        "max_tokens": 1_000_000,
        "rate_limit": 0,
        "secret": "s" * 32,
    }
    parts = Parts.open(settings.model_copy(update=limits))
    await parts.store.prepare()
    yield await Person(parts).fill(), await Person(parts).fill()
    await parts.close()


def _tells_of(answer: str, other: Person, asked: str) -> bool:
    """Whether the answer holds anything of the other's, but for the id that it was asked with."""
    told = answer.replace(asked, "") if asked else answer
    return other.mark in told or any(id_ in told for id_ in other.ids.values())


@pytest.mark.parametrize("taken", TAKEN, ids=str)
async def test_no_argument_leads_to_anothers(people: tuple[Person, Person], taken: Taken) -> None:
    other, person = people
    before = await other.state()
    for kind, id_ in other.ids.items():
        text, variables = _operation(taken.root, taken.field, taken.path, id_, person.seed)
        answer, codes = await person.ask(taken.root, text, variables)
        assert not _tells_of(answer, other, id_), kind
        assert "INTERNAL_SERVER_ERROR" not in codes, answer
        assert "GRAPHQL_VALIDATION_FAILED" not in codes, answer
        is_null = json.loads(answer)[0] in ({taken.field: None}, {taken.field: [None]})
        assert is_null or codes & {*_NOT_FOUND, "BAD_USER_INPUT"}, answer
    assert await other.state() == before


@pytest.mark.parametrize("name", UNASKED)
async def test_no_field_tells_of_anothers(people: tuple[Person, Person], name: str) -> None:
    other, person = people
    answer, codes = await person.ask("Query", *_operation("Query", name))
    assert not _tells_of(answer, other, "")
    assert codes <= {"FORBIDDEN"}, answer
    if name in ("audioFiles", "viewer"):
        assert person.mark in answer


@pytest.mark.parametrize("name", ["audioFiles", "batchJobs", "similarTo"])
async def test_anothers_cursor_leads_to_ones_own(people: tuple[Person, Person], name: str) -> None:
    other, person = people
    target = "target: {audioFileId: $id}, " if name == "similarTo" else ""
    head = "query ($id: ID!, $after: String)" if target else "query ($after: String)"
    page = f"{name}({target}first: 1, after: $after)"
    text = f"{head} {{ {page} {{ edges {{ cursor node {{ id }} }} }} }}"
    for whose in (other, person):
        asked = {"id": whose.ids["AudioFile"]} if target else {}
        found = await graphql_schema.execute(text, variable_values=asked, context_value=whose.scope)
        edges = (found.data or {})[name]["edges"]
        for edge in edges:
            mine = {"id": person.ids["AudioFile"]} if target else {}
            answer, _ = await person.ask("Query", text, {**mine, "after": edge["cursor"]})
            assert not _tells_of(answer, other, "")


async def test_the_same_idempotency_key_is_everybodys_own(people: tuple[Person, Person]) -> None:
    made = set()
    text = """mutation { createBatchJob(input: {filter: {}, idempotencyKey: "same"}) {
        batchJob { id total } } }"""
    for person in people:
        found = await graphql_schema.execute(text, context_value=person.scope)
        job = (found.data or {})["createBatchJob"]["batchJob"]
        assert job["total"] == 2
        made.add(job["id"])
    assert len(made) == 2


async def test_each_of_these_leads_to_ones_own(people: tuple[Person, Person]) -> None:
    """Or the tests above would see nothing."""
    _, person = people
    assert len(TAKEN) > 12
    for taken in sorted(TAKEN, key=lambda each: each.field.startswith(_LAST)):
        reached = []
        for id_ in person.ids.values():
            text, variables = _operation(taken.root, taken.field, taken.path, id_, person.seed)
            answer, codes = await person.ask(taken.root, text, variables)
            is_null = json.loads(answer)[0] in ({taken.field: None}, {taken.field: [None]})
            reached.append(not is_null and not codes & {*_NOT_FOUND, "BAD_USER_INPUT"})
        assert any(reached), taken
