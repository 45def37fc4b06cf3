"""deleteAccount: nothing is left of the person, and everything of others."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from samplemind.domain.analysis import AnalysisStatus
from samplemind.domain.ids import now
from samplemind.domain.user import LOCAL_USER
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import decode_id
from tests.domain.models import analysis, batch_job, embedding, findings
from tests.people import LOG_IN, PASSWORD, REFRESH, Person, open_to_many, opened, registered, served

DELETE = """mutation ($password: String!) { deleteAccount(input: {password: $password}) {
    deletedId errors { code field } } }"""
COUNT = "{ audioFiles { totalCount edges { node { waveform(points: 4) } } } }"
REQUEST = """mutation { requestUpload(input: {filename: "a.wav", sizeBytes: 3}) { url } }"""
AUDIT = "{ auditEvents(first: 200) { edges { node { action userId subjectId address at } } } }"


@pytest.fixture(scope="module")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    async for parts in opened(open_to_many(settings)):
        yield parts


@pytest.fixture(scope="module")
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(open_to_many(settings, quota_files=100)):
        await registered(client)  # the first, who is an admin
        yield client


@pytest.fixture(scope="module")
async def admin(http: httpx.AsyncClient, parts: Parts) -> Person:
    """Made one by hand: the first of this database may be another test's."""
    admin = await registered(http)
    _, id_ = decode_id(admin.id)
    await parts.store.users._users.update_one({"_id": id_}, {"$set": {"role": "ADMIN"}})
    return admin


@pytest.fixture
async def person(http: httpx.AsyncClient, sounds: list[Path], parts: Parts) -> Person:
    """With one of everything that is stored of people."""
    person = await registered(http)
    _, id_ = decode_id(person.id)
    stored = await person.upload(sounds[0].read_bytes(), "kick.flac")
    _, file_id = decode_id(stored["audioFile"]["id"])
    batch = batch_job(id_, 1)
    made = findings(embedding=embedding(1.0))
    run = analysis(
        id_, file_id, status=AnalysisStatus.SUCCEEDED, findings=made, batch_id=batch.id, position=0
    )
    await parts.store.analyses.add([run])
    await parts.store.batch_jobs.add(batch)
    await parts.store.batch_jobs.advance(batch.id, 0, {"queued": -1, "running": 1}, None)
    await parts.store.audio_files.set_analysis(run)
    [file] = await parts.store.audio_files.by_ids(id_, [file_id])
    assert file
    await parts.vectors.put(file, run.findings)
    announced = (await person.ask(REQUEST))["requestUpload"]["url"]
    assert (await http.put(announced, content=b"abc")).status_code == 204
    await person.ask(COUNT)
    person.ids = {"file": file_id, "batch": batch.id}
    return person


async def traces(parts: Parts, settings: Settings, person: Person) -> set[str]:
    """Where the person's id, email or sounds still are."""
    _, id_ = decode_id(person.id)
    marks = [id_, person.email, *person.ids.values()]
    found = set()
    for name in await parts.store._database.list_collection_names():
        async for row in parts.store._database[name].find({}):
            if any(mark in str(row) for mark in marks):
                found.add(name)
    async for key in parts.events.redis.scan_iter("*"):
        text = key.decode()
        if await parts.events.redis.type(key) == b"string":
            text += str(await parts.events.redis.get(key))
        elif await parts.events.redis.type(key) == b"hash":
            text += str(await parts.events.redis.hgetall(key))  # pyright: ignore
        # What a caller has spent in this minute goes by itself.
        if any(mark in text for mark in marks) and not key.startswith(b"points"):
            found.add(f"redis {text.split(':')[0]}")
    found |= {"blobs" for path in _blobs(settings) if id_ in path}
    client = await parts.vectors._connected()
    names = [collection.name for collection in await client.list_collections()]
    return found | {"vectors" for name in names if id_ in name}


def _blobs(settings: Settings) -> list[str]:
    folder = Path(settings.blob_url.removeprefix("file://"))
    return [str(path) for path in folder.rglob("*") if path.is_file()]


async def test_is_for_who_has_signed_in(http: httpx.AsyncClient) -> None:
    assert await Person(http).refused(DELETE, password=PASSWORD) == (401, "UNAUTHENTICATED")


async def test_takes_the_password_and_no_key(person: Person) -> None:
    wrong = (await person.ask(DELETE, password="wrong" * 3))["deleteAccount"]
    assert wrong["errors"] == [{"code": "INVALID_CREDENTIALS", "field": ["input", "password"]}]
    by_key = await person.with_key()
    assert await by_key.refused(DELETE, password=PASSWORD) == (403, "FORBIDDEN")
    assert (await person.ask(COUNT))["audioFiles"]["totalCount"] == 1


async def test_removes_every_trace(
    person: Person, http: httpx.AsyncClient, parts: Parts, settings: Settings
) -> None:
    by_key = await person.with_key()
    await by_key.ask(COUNT)
    before = await traces(parts, settings, person)
    rows = {"audio_files", "analyses", "batch_jobs", "batch_changes", "users", "uploads"}
    rows |= {"api_keys", "audit_events", "usages"}
    assert before >= rows | {"blobs", "vectors", "redis session", "redis sessions"}
    assert "redis samplemind" in before

    deleted = (await person.ask(DELETE, password=PASSWORD))["deleteAccount"]
    assert deleted == {"deletedId": person.id, "errors": []}
    # That there was an account with this id, and that it was deleted, is all that is left.
    assert await traces(parts, settings, person) == {"audit_events"}
    for who in (person, by_key):
        assert await who.refused(COUNT) == (401, "UNAUTHENTICATED")
    anonymous = Person(http)
    refreshed = await anonymous.ask(REFRESH, input={"refreshToken": person.refresh_token})
    assert refreshed["refreshSession"]["errors"][0]["code"] == "SESSION_ENDED"
    asked = {"email": person.email, "password": PASSWORD}
    found = (await anonymous.ask(LOG_IN, input=asked))["logIn"]
    assert found["errors"][0]["code"] == "INVALID_CREDENTIALS"


async def test_leaves_nothing_of_an_upload_that_is_on_its_way(
    admin: Person,
    person: Person,
    http: httpx.AsyncClient,
    sounds: list[Path],
    parts: Parts,
    settings: Settings,
) -> None:
    assert admin.id != person.id  # of the first, a row stays
    query = "mutation ($file: Upload!) { uploadAudio(input: {file: $file}) { errors { code } } }"
    operations = {"query": query, "variables": {"file": None}}
    request = http.build_request(
        "POST",
        "/graphql",
        data={"operations": json.dumps(operations), "map": '{"0": ["variables.file"]}'},
        files={"0": ("other.wav", sounds[1].read_bytes())},
        headers={"apollo-require-preflight": "true", **person.headers},
    )
    content = await request.aread()

    async def body() -> AsyncIterator[bytes]:
        yield content[:-10]
        deleted = (await person.ask(DELETE, password=PASSWORD))["deleteAccount"]
        assert deleted["errors"] == []
        yield content[-10:]

    answer = await http.post("/graphql", content=body(), headers=dict(request.headers))
    assert "UNAUTHENTICATED" in answer.text
    assert await traces(parts, settings, person) == {"audit_events"}


async def test_goes_to_its_end_where_the_stream_that_asked_ends_with_the_session(
    admin: Person, person: Person, http: httpx.AsyncClient, parts: Parts, settings: Settings
) -> None:
    assert admin.id != person.id  # of the first, a row stays
    body = {"query": DELETE, "variables": {"password": PASSWORD}}
    headers = {**person.headers, "accept": "text/event-stream"}
    assert (await http.post("/graphql", json=body, headers=headers)).status_code == 200
    async with asyncio.timeout(20):
        while await traces(parts, settings, person) != {"audit_events"}:
            pass


async def test_leaves_others_alone(
    person: Person, http: httpx.AsyncClient, sounds: list[Path], parts: Parts, settings: Settings
) -> None:
    other = await registered(http)
    # The same bytes: they are each one's own.
    stored = await other.upload(sounds[0].read_bytes(), "kick.flac")
    await person.ask(DELETE, password=PASSWORD)
    assert (await other.ask(COUNT))["audioFiles"]["totalCount"] == 1
    answer = await http.get(stored["audioFile"]["url"])
    assert answer.content == sounds[0].read_bytes()


async def test_of_the_first_makes_nobody_else_an_admin(settings: Settings) -> None:
    url = settings.mongo_url.replace("/samplemind", "/deleted-first")
    # Of its own, since this id is that of every first.
    redis_url = settings.redis_url.removesuffix("/0") + "/7"
    changed = settings.model_copy(update={"mongo_url": url, "redis_url": redis_url})
    async for http in served(open_to_many(changed)):
        first = await registered(http)
        assert decode_id(first.id) == ("User", LOCAL_USER)
        assert (await first.ask(DELETE, password=PASSWORD))["deleteAccount"]["errors"] == []
        # Nor is there a way back for who was signing in meanwhile.
        async for parts in opened(open_to_many(changed)):
            late = parts.tokens.refresh(*await parts.sessions.begin(LOCAL_USER), now())
            found = await Person(http).ask(REFRESH, input={"refreshToken": late})
            assert found["refreshSession"]["errors"][0]["code"] == "SESSION_ENDED"
        second = await registered(http)
        assert (await second.ask("{ viewer { role } }"))["viewer"] == {"role": "USER"}


class TestAuditEvents:
    async def test_are_for_admins(self, http: httpx.AsyncClient, person: Person):
        assert await Person(http).refused(AUDIT) == (401, "UNAUTHENTICATED")
        assert await person.refused(AUDIT) == (403, "FORBIDDEN")

    async def test_tell_what_happened_and_from_where(
        self, http: httpx.AsyncClient, admin: Person, parts: Parts
    ):
        person = await registered(http)
        asked = {"email": person.email, "password": "wrong" * 3}
        await Person(http).ask(LOG_IN, input=asked)
        await Person(http).ask(LOG_IN, input={**asked, "password": PASSWORD})
        by_key = await person.with_key()
        await by_key.ask(COUNT)
        expected = ["REGISTERED", "ATTEMPT_REFUSED", "SIGNED_IN", "API_KEY_CREATED", "API_KEY_USED"]
        async with asyncio.timeout(10):
            while len(found := await self.of(admin, person)) < len(expected):
                pass
        assert [event["action"] for event in found] == expected
        assert {event["address"] for event in found} == {"127.0.0.1"}
        assert found[-1]["subjectId"] == by_key.ids["key"]
        assert person.email not in str(found)

    async def test_tell_of_files_that_were_deleted(
        self, http: httpx.AsyncClient, admin: Person, sounds: list[Path]
    ):
        person = await registered(http)
        id_ = (await person.upload(sounds[0].read_bytes()))["audioFile"]["id"]
        delete = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { deletedId } }"
        await person.ask(delete, id=id_)
        last = (await self.of(admin, person))[-1]
        assert (last["action"], last["subjectId"]) == ("AUDIO_FILE_DELETED", id_)

    async def test_tell_of_a_deleted_account_that_it_was_one(
        self, http: httpx.AsyncClient, admin: Person
    ):
        person = await registered(http)
        assert (await person.ask(DELETE, password=PASSWORD))["deleteAccount"]["errors"] == []
        [found] = await self.of(admin, person)
        assert (found["action"], found["address"]) == ("ACCOUNT_DELETED", "")

    async def of(self, admin: Person, person: Person) -> list[dict[str, Any]]:
        """A person's, the oldest first."""
        edges = (await admin.ask(AUDIT))["auditEvents"]["edges"]
        events = [edge["node"] for edge in edges]
        return [event for event in events if event["userId"] == person.id][::-1]
