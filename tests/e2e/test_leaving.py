"""Whoever leaves, in whatever way, or stops reading, holds nothing any more."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest
import redis.asyncio as redis

from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus, Failure
from samplemind.domain.batch_job import BatchItem, BatchJob, BatchProgress
from samplemind.domain.ids import new_id, now
from samplemind.events import batch_channel, file_channel
from samplemind.jobs.progress import publish_progress
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import decode_id, encode_id
from tests.e2e.test_streams import SSE, SUBSCRIPTION
from tests.e2e.test_websocket import UPDATED, hear, opened, say, subscribe
from tests.server import Server

FLOOD = """
subscription ($id: ID!) { batchProgress(batchId: $id) { sequence item { failure { message } } } }
"""
# Many times what the kernel keeps for a peer that does not read, which is some 4 MB.
CHANGES, CHANGE_BYTES = 800, 20_000


@pytest.fixture
async def there(server: Server) -> AsyncIterator[Parts]:
    """The parts that the server itself stands on."""
    env = server.process("api").environ()
    names = ("mongo_url", "redis_url", "chroma_url", "blob_url")
    parts = Parts.open(
        Settings.model_validate({name: env[f"SAMPLEMIND_{name.upper()}"] for name in names})
    )
    yield parts
    await parts.close()


async def listeners(events: redis.Redis, channel: str) -> int:
    [(_, count)] = await events.pubsub_numsub(channel)
    return count


async def until(count: int, events: redis.Redis, channel: str, seconds: float = 2) -> None:
    """Redis tells nobody of its subscribers, so it is asked until they are `count`."""
    async with asyncio.timeout(seconds):
        while await listeners(events, channel) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.fixture
async def quiet(server: Server) -> tuple[str, str]:
    """A file that nobody else watches: its id for clients, and its channel."""
    query = "{ audioFiles(last: 1) { edges { node { id } } } }"
    id_ = server.ask(query)["audioFiles"]["edges"][0]["node"]["id"]
    return id_, file_channel(decode_id(id_)[1])


class TestLeaving:
    async def test_completing_frees_at_once(
        self, server: Server, there: Parts, quiet: tuple[str, str]
    ):
        id_, channel = quiet
        events = there.events.redis
        async with opened(server) as one, opened(server) as other:
            for name in ("1", "2"):
                await subscribe(one, name, UPDATED, variables={"id": id_})
                await hear(one)
            await subscribe(other, "1", UPDATED, variables={"id": id_})
            await hear(other)
            await until(1, events, channel)
            await say(one, {"type": "complete", "id": "1"})
            await say(one, {"type": "complete", "id": "2"})
            await say(one, {"type": "ping"})
            await hear(one)
            assert await listeners(events, channel) == 1
            await say(other, {"type": "complete", "id": "1"})
            await until(0, events, channel)
            # The sockets are still there.
            for socket_ in (one, other):
                await say(socket_, {"type": "ping"})
                assert (await hear(socket_))["type"] == "pong"

    async def test_closing_frees_at_once(
        self, server: Server, there: Parts, quiet: tuple[str, str]
    ):
        id_, channel = quiet
        async with opened(server) as socket_:
            for number in range(20):
                await subscribe(socket_, str(number), UPDATED, variables={"id": id_})
                await hear(socket_)
            await until(1, there.events.redis, channel)
        await until(0, there.events.redis, channel)

    async def test_a_bad_message_frees_the_rest_too(
        self, server: Server, there: Parts, quiet: tuple[str, str]
    ):
        id_, channel = quiet
        async with opened(server) as socket_:
            await subscribe(socket_, "1", UPDATED, variables={"id": id_})
            await hear(socket_)
            await until(1, there.events.redis, channel)
            await say(socket_, [])
            await until(0, there.events.redis, channel)

    @pytest.mark.parametrize("accept", [SSE, SUBSCRIPTION])
    async def test_hanging_up_frees_at_once(
        self, server: Server, there: Parts, quiet: tuple[str, str], accept: str
    ):
        id_, channel = quiet
        body = {"query": UPDATED, "variables": {"id": id_}}
        headers = {"accept": accept}
        async with httpx.AsyncClient(base_url=server.url) as client:
            async with client.stream("POST", "/graphql", json=body, headers=headers) as response:
                # Kept: the response would be closed with it.
                lines = response.aiter_lines()
                async for line in lines:
                    if "analysisUpdated" in line:
                        break
                await until(1, there.events.redis, channel)
            await until(0, there.events.redis, channel)

    async def test_a_killed_client_frees_at_once(
        self, server: Server, there: Parts, quiet: tuple[str, str]
    ):
        id_, channel = quiet
        program = (
            "import asyncio, sys\n"
            "from tests.e2e.test_websocket import *\n"
            "async def main():\n"
            "    async with opened(Server(sys.argv[1], None, 0, [])) as socket:\n"
            "        await subscribe(socket, '1', UPDATED, variables={'id': sys.argv[2]})\n"
            "        await asyncio.Event().wait()\n"
            "asyncio.run(main())\n"
        )
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, server.url, id_, env={**os.environ, "PYTHONPATH": "."}
        )
        await until(1, there.events.redis, channel, 20)
        client.kill()
        await client.wait()
        await until(0, there.events.redis, channel)


def unread(server: Server) -> socket.socket:
    """A connection that takes in little before it is full."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.connect((host, int(port)))
    return connection


def watch_by_http(server: Server, accept: str, batch_id: str) -> socket.socket:
    body = json.dumps({"query": FLOOD, "variables": {"id": batch_id}}).encode()
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection = unread(server)
    connection.sendall(head.encode() + body)
    return connection


def watch_by_websocket(server: Server, batch_id: str) -> socket.socket:
    connection = unread(server)
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        "GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
    )
    assert b"101" in connection.recv(2_000)
    payload = {"query": FLOOD, "variables": {"id": batch_id}}
    for message in ({"type": "connection_init"},
                    {"type": "subscribe", "id": "1", "payload": payload}):  # fmt: skip
        text = json.dumps(message).encode()
        # A final text frame with an extended length and a mask of zeros.
        connection.sendall(b"\x81\xfe" + struct.pack("!H", len(text)) + bytes(4) + text)
    return connection


def rest(connection: socket.socket) -> bytes:
    """What had been sent before the server gave up."""
    connection.settimeout(10)
    read = b""
    with contextlib.suppress(ConnectionResetError):
        while some := connection.recv(1 << 20):
            read += some
    return read


Watch = Callable[[Server, str], socket.socket]
WAYS: list[Watch] = [
    watch_by_websocket,
    lambda server, id_: watch_by_http(server, SSE, id_),
    lambda server, id_: watch_by_http(server, SUBSCRIPTION, id_),
]


async def test_who_does_not_read_is_dropped_and_harms_nobody(server: Server, there: Parts):
    events = there.events.redis
    slow_batches = [await running_batch(there) for _ in WAYS]
    channels = [batch_channel(batch.id) for batch in slow_batches]
    slow = [
        await asyncio.to_thread(watch, server, encode_id("BatchJob", batch.id))
        for watch, batch in zip(WAYS, slow_batches, strict=True)
    ]
    for channel in channels:
        await until(1, events, channel)
    batch = await running_batch(there)
    watching = server.watch(FLOOD, id=encode_id("BatchJob", batch.id))
    seen = []
    async with contextlib.aclosing(watching):
        async for event in watching:
            seen.append(last := event["batchProgress"]["sequence"])
            if last == CHANGES + 1:
                break
            if last % 100 == 1:
                # As fast as the one who reads.
                for sequence in range(last + 1, last + 101):
                    for each in (batch, *slow_batches):
                        await tell(there, each, sequence)
    assert seen == [*range(1, CHANGES + 2)]
    for channel in channels:
        await until(0, events, channel, 20)

    # What was on its way comes to an end that is not the end of the story.
    for connection, last_word in zip(slow, (b"complete", b"complete", b"graphql--"), strict=True):
        read = await asyncio.to_thread(rest, connection)
        assert last_word not in read
        assert 0 < read.count(b"sequence") < CHANGES / 2


async def running_batch(parts: Parts) -> BatchJob:
    time = now()
    return await parts.store.batch_jobs.add(
        BatchJob(
            id=new_id(),
            owner_id="local",
            level=AnalysisLevel.BASIC,
            total=10_000,
            queued=10_000,
            running=0,
            completed=0,
            failed=0,
            cancelled=0,
            sequence=1,
            created_at=time,
            updated_at=time,
        )
    )


async def tell(parts: Parts, batch: BatchJob, sequence: int) -> None:
    failure = Failure("X", "x" * CHANGE_BYTES)
    item = BatchItem(new_id(), new_id(), AnalysisStatus.FAILED, failure)
    await publish_progress(parts, BatchProgress(sequence, replace(batch, sequence=sequence), item))
