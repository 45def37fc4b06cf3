"""graphql-transport-ws message by message, as only a client that means harm would speak it."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets

from tests.server import Server

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")

UPDATED = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id } }"

Socket = websockets.ClientConnection


@contextlib.asynccontextmanager
async def opened(
    server: Server, *protocols: websockets.Subprotocol, init: bool = True
) -> AsyncIterator[Socket]:
    address = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(address, subprotocols=protocols or [PROTOCOL]) as socket:
        if init:
            await say(socket, {"type": "connection_init"})
            assert await hear(socket) == {"type": "connection_ack"}
        yield socket


async def say(socket: Socket, message: Any) -> None:
    await socket.send(json.dumps(message))


async def hear(socket: Socket) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def subscribe(socket: Socket, id_: str, query: str, **more: Any) -> None:
    await say(socket, {"type": "subscribe", "id": id_, "payload": {"query": query, **more}})


async def closed(socket: Socket, seconds: float = 10) -> tuple[int, str]:
    """What the server closes the socket with."""
    with contextlib.suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(seconds):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


@pytest.fixture
def file(server: Server) -> str:
    query = "{ audioFiles(first: 1, filter: {analyzed: true}) { edges { node { id } } } }"
    return server.ask(query)["audioFiles"]["edges"][0]["node"]["id"]


class TestOpening:
    async def test_the_init_may_carry_a_payload(self, server: Server):
        for payload in ({}, {"token": "x"}, None):
            async with opened(server, init=False) as socket:
                await say(socket, {"type": "connection_init", "payload": payload})
                assert await hear(socket) == {"type": "connection_ack"}

    async def test_who_does_not_begin_is_told_so_pings_or_not(self, server: Server):
        async def ping(socket: Socket) -> None:
            while True:
                await say(socket, {"type": "ping"})
                await asyncio.sleep(0.5)

        async with opened(server, init=False) as silent, opened(server, init=False) as pinging:
            pings = asyncio.create_task(ping(pinging))
            for told in await asyncio.gather(closed(silent), closed(pinging)):
                assert told == (4408, "Connection initialisation timeout")
            pings.cancel()

    async def test_a_second_beginning(self, server: Server):
        async with opened(server) as socket:
            await say(socket, {"type": "connection_init"})
            assert await closed(socket) == (4429, "Too many initialisation requests")

    async def test_an_operation_before_the_beginning(self, server: Server):
        async with opened(server, init=False) as socket:
            await subscribe(socket, "1", "{ viewer { id } }")
            assert await closed(socket) == (4401, "Unauthorized")

    @pytest.mark.parametrize("name", ["graphql-ws", "soap"])
    async def test_another_protocol(self, server: Server, name: str):
        async with opened(server, websockets.Subprotocol(name), init=False) as socket:
            assert await closed(socket) == (4406, "Subprotocol not acceptable")

    async def test_the_known_one_of_several(self, server: Server):
        async with opened(server, websockets.Subprotocol("graphql-ws"), PROTOCOL) as socket:
            assert socket.subprotocol == PROTOCOL

    async def test_a_page_of_another_site(self, server: Server):
        address = server.url.replace("http", "ws") + "/graphql"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(
                address, subprotocols=[PROTOCOL], origin=websockets.Origin("https://evil.example")
            )
        assert refused.value.response.status_code == 403


def _subscribe(**changed: Any) -> dict[str, Any]:
    message = {"type": "subscribe", "id": "1", "payload": {"query": "{ viewer { id } }"}}
    return {name: value for name, value in (message | changed).items() if value is not ...}


def _payload(**changed: Any) -> dict[str, Any]:
    return _subscribe(payload={"query": "{ viewer { id } }", **changed})


class TestMessages:
    @pytest.mark.parametrize(
        "message",
        [
            None,
            [],
            "ping",
            1,
            {},
            {"type": None},
            {"type": "PING"},
            {"type": ["ping"]},
            {"type": "connection_ack"},
            {"type": "next", "id": "1", "payload": {}},
            {"type": "start", "id": "1", "payload": {}},
            {"type": "connection_terminate"},
            {"type": "connection_init", "payload": []},
            {"type": "ping", "payload": "x"},
            {"type": "pong", "payload": 1},
            {"type": "complete"},
            {"type": "complete", "id": 1},
            _subscribe(id=...),
            _subscribe(id=1),
            _subscribe(id=""),
            _subscribe(id=None),
            _subscribe(payload=...),
            _subscribe(payload=None),
            _subscribe(payload=[]),
            _subscribe(payload="{ viewer { id } }"),
            _subscribe(payload={}),
            _payload(query=None),
            _payload(query=1),
            _payload(variables=[]),
            _payload(variables="{}"),
            _payload(operationName=1),
            _payload(extensions=[]),
        ],
        ids=json.dumps,
    )
    async def test_a_bad_one_closes_the_socket(self, server: Server, message: Any):
        async with opened(server) as socket:
            await say(socket, message)
            code, reason = await closed(socket)
            assert code == 4400
            assert reason

    @pytest.mark.parametrize(
        "text", ["", "{", "nonsense", b"\x00\xff", b'{"type": "ping"}', '"\\ud800"', "[" * 100_000]
    )
    async def test_what_is_no_json_text(self, server: Server, text: str | bytes):
        async with opened(server) as socket:
            await socket.send(text)
            assert (await closed(socket))[0] == 4400

    async def test_one_that_is_too_large(self, server: Server):
        async with opened(server) as socket:
            await subscribe(socket, "1", " " * 1024 * 1024)
            assert (await closed(socket))[0] == 1009

    async def test_an_id_that_is_taken(self, server: Server, file: str):
        long = "ü" * 200
        async with opened(server) as socket:
            await subscribe(socket, long, UPDATED, variables={"id": file})
            await hear(socket)
            await subscribe(socket, long, UPDATED, variables={"id": file})
            code, reason = await closed(socket)
            assert code == 4409
            assert reason.startswith("Subscriber for üüü")

    async def test_pings_are_answered_with_their_payload(self, server: Server):
        for init in (True, False):
            async with opened(server, init=init) as socket:
                await say(socket, {"type": "ping"})
                assert await hear(socket) == {"type": "pong"}
                await say(socket, {"type": "pong"})
                await say(socket, {"type": "pong", "payload": {"a": 1}})
                await say(socket, {"type": "ping", "payload": {"a": [1]}})
                assert await hear(socket) == {"type": "pong", "payload": {"a": [1]}}


class TestOperations:
    async def test_an_id_is_free_again_after_each_kind_of_end(self, server: Server, file: str):
        async with opened(server) as socket:
            for _ in range(3):
                await subscribe(socket, "1", "{ viewer { username } }")
                assert (await hear(socket))["payload"]["data"] == {"viewer": {"username": "local"}}
                assert await hear(socket) == {"type": "complete", "id": "1"}
                await subscribe(socket, "1", "{ nothing }")
                refused = await hear(socket)
                assert refused["type"] == "error"
                [error] = refused["payload"]
                assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
                await subscribe(socket, "1", UPDATED, variables={"id": file})
                assert (await hear(socket))["type"] == "next"
                await say(socket, {"type": "complete", "id": "1"})

    async def test_no_word_after_the_client_has_completed(self, server: Server, file: str):
        async with opened(server) as socket:
            await subscribe(socket, "1", UPDATED, variables={"id": file})
            await hear(socket)
            await say(socket, {"type": "complete", "id": "1"})
            await say(socket, {"type": "complete", "id": "1"})
            await say(socket, {"type": "complete", "id": "never was"})
            await say(socket, {"type": "ping"})
            assert await hear(socket) == {"type": "pong"}

    async def test_at_most_a_hundred_at_once(self, server: Server, file: str):
        async with opened(server) as socket:
            for number in range(101):
                await subscribe(socket, str(number), UPDATED, variables={"id": file})
            told = [await hear(socket) for _ in range(101)]
            [refused] = [message for message in told if message["type"] == "error"]
            assert refused["id"] == "100"
            assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
            await say(socket, {"type": "complete", "id": "7"})
            await subscribe(socket, "100", "{ viewer { id } }")
            assert (await hear(socket))["type"] == "next"

    async def test_what_a_mutation_changed_is_read_by_the_next_query(
        self, server: Server, file: str
    ):
        update = """mutation ($id: ID!, $tags: [String!]) {
            updateAudioFile(input: {id: $id, tags: $tags}) { audioFile { tags } } }"""
        read = "query ($id: ID!) { node(id: $id) { ... on AudioFile { tags } } }"
        async with opened(server) as socket:
            for tags in (["live"], []):
                await subscribe(socket, "1", update, variables={"id": file, "tags": tags})
                assert (await hear(socket))["type"] == "next"
                assert (await hear(socket))["type"] == "complete"
                await subscribe(socket, "1", read, variables={"id": file})
                assert (await hear(socket))["payload"]["data"]["node"]["tags"] == tags
                assert (await hear(socket))["type"] == "complete"

    async def test_a_document_may_be_named_by_its_hash(self, server: Server):
        query = "query Live { viewer { username } }"
        name = hashlib.sha256(query.encode()).hexdigest()
        persisted = {"persistedQuery": {"version": 1, "sha256Hash": name}}
        async with opened(server) as socket:
            for payload, kind in (
                ({"extensions": persisted}, "error"),
                ({"extensions": persisted, "query": query}, "next"),
                ({"extensions": persisted}, "next"),
                ({"documentId": f"sha256:{name}"}, "next"),
            ):
                await say(socket, {"type": "subscribe", "id": "1", "payload": payload})
                told = await hear(socket)
                assert told["type"] == kind
                if kind == "error":
                    code = told["payload"][0]["extensions"]["code"]
                    assert code == "PERSISTED_QUERY_NOT_FOUND"
                else:
                    assert (await hear(socket))["type"] == "complete"

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            ({"query": ""}, "BAD_REQUEST"),
            ({"query": "query A { viewer { id } }", "operationName": "B"},
             "OPERATION_RESOLUTION_FAILURE"),
            ({"query": "fragment F on User { id }"}, "OPERATION_RESOLUTION_FAILURE"),
            ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, "BAD_USER_INPUT"),
        ],
    )  # fmt: skip
    async def test_a_refusal_ends_the_operation_alone(
        self, server: Server, payload: dict[str, Any], code: str
    ):
        async with opened(server) as socket:
            await say(socket, {"type": "subscribe", "id": "1", "payload": payload})
            told = await hear(socket)
            errors = told["payload"] if told["type"] == "error" else told["payload"]["errors"]
            assert errors[0]["extensions"]["code"] == code
            await say(socket, {"type": "ping"})
            while (await hear(socket))["type"] != "pong":
                pass
