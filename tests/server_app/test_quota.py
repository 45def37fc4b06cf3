"""How much a library may hold, and how much of it may be watched at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from resolvers.quota import _hour
from samplemind.live import LivePlaces
from samplemind.parts import Parts
from samplemind.server.app import make_app
from samplemind.settings import Settings
from samplemind.store.usage import Usage
from schema.ids import decode_id
from tests.people import Person, open_to_many, opened, registered, served

DELETE = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { errors { code } } }"
REQUEST = """mutation ($size: Float!) {
    requestUpload(input: {filename: "a.wav", sizeBytes: $size}) { errors { code } } }"""


@pytest.fixture(scope="module")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    async for parts in opened(open_to_many(settings)):
        yield parts


async def _person(settings: Settings, **quota: int) -> AsyncIterator[Person]:
    async for http in served(open_to_many(settings, **quota)):
        yield await registered(http)


def _code(payload: dict[str, Any]) -> str | None:
    return next((error["code"] for error in payload["errors"]), None)


@pytest.mark.parametrize("what", ["quota_files", "quota_bytes", "quota_seconds"])
async def test_what_passes_a_quota_is_refused_and_takes_no_room(
    settings: Settings, sounds: list[Path], parts: Parts, what: str
) -> None:
    first, second = sounds[:2]
    most = {"quota_files": 1, "quota_bytes": first.stat().st_size + 10, "quota_seconds": 10}[what]
    async for person in _person(settings, **{what: most}):
        stored = await person.upload(first.read_bytes())
        assert _code(stored) is None
        _, id_ = decode_id(person.id)
        if what == "quota_seconds":
            # As if it were longer.
            await parts.store.usages.add(id_, _hour(), Usage(seconds=60.0))
        for _ in range(2):
            assert _code(await person.upload(second.read_bytes())) == "QUOTA_EXCEEDED"
        # What is there already takes no room.
        assert _code(await person.upload(first.read_bytes())) is None
        if what == "quota_seconds":
            await parts.store.usages.add(id_, _hour(), Usage(seconds=-60.0))
        await person.ask(DELETE, id=stored["audioFile"]["id"])
        assert _code(await person.upload(second.read_bytes())) is None


async def test_of_many_at_once_no_more_are_stored_than_fit(
    settings: Settings, sounds: list[Path]
) -> None:
    async for person in _person(settings, quota_files=3):
        many = await asyncio.gather(*(person.upload(each.read_bytes()) for each in sounds[:8]))
        codes = [_code(each) for each in many]
        assert codes.count(None) == 3
        assert codes.count("QUOTA_EXCEEDED") == 5


async def test_what_was_miscounted_is_counted_anew(
    settings: Settings, sounds: list[Path], parts: Parts
) -> None:
    async for person in _person(settings, quota_files=2):
        _, id_ = decode_id(person.id)
        # As a process leaves it that dies over an upload.
        await parts.store.usages.begin(id_, "2026010100", Usage(files=100))
        assert _code(await person.upload(sounds[0].read_bytes())) is None
        rows = await parts.store.usages._usages.find({"owner_id": id_}).to_list(None)
        assert [row["files"] for row in rows] == [1]


async def test_what_is_announced_takes_room(settings: Settings) -> None:
    async for person in _person(settings, quota_bytes=1_000):
        codes = [_code((await person.ask(REQUEST, size=400))["requestUpload"]) for _ in range(3)]
        assert codes == [None, None, "QUOTA_EXCEEDED"]


async def test_each_has_room_of_their_own(settings: Settings, sounds: list[Path]) -> None:
    async for http in served(open_to_many(settings, quota_files=1)):
        for _ in range(2):
            person = await registered(http)
            assert _code(await person.upload(sounds[0].read_bytes())) is None


class TestLive:
    WATCH = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id } }"

    @pytest.fixture
    def client(self, settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
        changed = {"live_limit": 2, "blob_url": tmp_path.as_uri()}
        limited = settings.model_copy(update=changed)
        with TestClient(make_app(limited), base_url="http://localhost") as client:
            yield client

    def test_subscriptions_of_a_user_are_counted(self, client: TestClient, sounds: list[Path]):
        upload = """mutation ($file: Upload!) { uploadAudio(input: {file: $file}) {
            audioFile { id } } }"""
        answer = client.post(
            "/graphql",
            data={
                "operations": json.dumps({"query": upload, "variables": {"file": None}}),
                "map": '{"0": ["variables.file"]}',
            },
            files={"0": ("a.flac", sounds[0].read_bytes())},
            headers={"apollo-require-preflight": "true"},
        )
        id_ = answer.json()["data"]["uploadAudio"]["audioFile"]["id"]
        with client.websocket_connect(
            "/graphql", ["graphql-transport-ws"], headers={"host": "localhost"}
        ) as socket:
            socket.send_json({"type": "connection_init"})
            socket.receive_json()

            def watch(name: str) -> None:
                payload = {"query": self.WATCH, "variables": {"id": id_}}
                socket.send_json({"type": "subscribe", "id": name, "payload": payload})

            for name in "abc":
                watch(name)
            # Whichever of them is last at Redis.
            refused = socket.receive_json()
            assert refused["type"] == "error"
            assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
            # An ended one makes room.
            ended = next(name for name in "abc" if name != refused["id"])
            socket.send_json({"type": "complete", "id": ended})
            for attempt in range(1_000):
                watch(f"d{attempt}")
                socket.send_json({"type": "ping"})
                if socket.receive_json()["type"] == "pong":
                    break
            else:
                raise AssertionError("there was no room again")

    async def test_places_are_shared_by_processes_and_end(
        self, parts: Parts, owner_id: str
    ) -> None:
        here, there = (LivePlaces(parts.events.redis, 2) for _ in range(2))
        first = await here.take(owner_id)
        assert first
        assert await there.take(owner_id)
        assert await here.take(owner_id) is None
        assert await here.take(owner_id + "b")
        async with here.held(owner_id, first):
            assert await there.take(owner_id) is None
        assert await there.take(owner_id)
