"""Subscriptions over WebSocket: in order, without a gap, from any API process."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import websockets

from tests.e2e import sounds
from tests.server import HTTP, Server

PROGRESS = """
subscription ($id: ID!, $after: Int) {
  batchProgress(batchId: $id, afterSequence: $after) {
    sequence
    batchJob { id status total completed failed finishedAt }
    item { status audioFile { id } failure { code } analysis { id } }
  }
}
"""

UPDATED = """
subscription ($id: ID!) {
  analysisUpdated(audioFileId: $id) {
    id status level kind audioFile { id analysis { id } }
  }
}
"""

ANALYZE = """
mutation ($id: ID!, $level: AnalysisLevel, $force: Boolean) {
  analyzeAudio(input: {audioFileId: $id, level: $level, force: $force}) { analysis { id } }
}
"""

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")

Progress = dict[str, Any]


def started(server: Server, files: int, level: str = "STANDARD") -> tuple[str, list[str]]:
    """A new batch of as many new files; its id and theirs."""
    uploads = [server.upload(sounds.encoded(sounds.tone())) for _ in range(files)]
    ids = [payload["audioFile"]["id"] for payload in uploads]
    query = """mutation ($input: CreateBatchJobInput!) {
        createBatchJob(input: $input) { batchJob { id } errors { code } } }"""
    payload = server.ask(query, input={"audioFileIds": ids, "level": level})["createBatchJob"]
    assert payload["errors"] == []
    return payload["batchJob"]["id"], ids


async def story(
    server: Server, id_: str, after: int | None = None, most: int | None = None
) -> list[Progress]:
    """What one connection sees until the server completes it, or `most` events."""
    told: list[Progress] = []
    watching = server.watch(PROGRESS, id=id_, after=after)
    async with contextlib.aclosing(watching):
        async for event in watching:
            told.append(event["batchProgress"])
            if len(told) == most:
                break
    return told


def numbers(told: list[Progress]) -> list[int]:
    return [progress["sequence"] for progress in told]


class TestBatchProgress:
    async def test_the_state_first_then_every_change_until_the_end(self, server: Server):
        id_, files = started(server, 6)

        told = await story(server, id_)

        assert told[0]["item"] is None
        first = told[0]["sequence"]
        assert numbers(told) == [*range(first, 1 + 2 * 6 + 1)]
        for progress in told[1:]:
            item = progress["item"]
            assert item["audioFile"]["id"] in files
            assert item["status"] in ("RUNNING", "SUCCEEDED")
            assert item["failure"] is None
        completed = [progress["batchJob"]["completed"] for progress in told]
        assert completed == sorted(completed)
        assert all(progress["batchJob"]["finishedAt"] is None for progress in told[:-1])
        last = told[-1]["batchJob"]
        assert (last["id"], last["status"], last["total"]) == (id_, "SUCCEEDED", 6)
        assert (last["completed"], last["failed"]) == (6, 0)
        assert last["finishedAt"]

    async def test_the_whole_story_of_an_ended_batch(self, server: Server):
        id_, files = started(server, 3)
        await story(server, id_)

        told = await asyncio.wait_for(story(server, id_, after=0), 5)

        assert numbers(told) == [*range(1, 8)]
        assert told[0]["batchJob"]["status"] == "QUEUED"
        assert told[0]["item"] is None
        assert {progress["batchJob"]["status"] for progress in told[1:-1]} == {"RUNNING"}
        assert told[-1]["batchJob"]["status"] == "SUCCEEDED"
        steps: dict[str, list[str]] = {}
        for progress in told[1:]:
            item = progress["item"]
            steps.setdefault(item["audioFile"]["id"], []).append(item["status"])
        assert steps == {file: ["RUNNING", "SUCCEEDED"] for file in files}

    async def test_an_ended_batch_says_so_at_once(self, server: Server):
        id_, _ = started(server, 1, "BASIC")
        await story(server, id_)
        [only] = await asyncio.wait_for(story(server, id_), 5)
        assert (only["sequence"], only["batchJob"]["status"]) == (3, "SUCCEEDED")
        assert numbers(await asyncio.wait_for(story(server, id_, after=2), 5)) == [3]
        assert await asyncio.wait_for(story(server, id_, after=3), 5) == []

    async def test_a_number_before_the_first_is_the_whole_story(self, server: Server):
        id_, _ = started(server, 1, "BASIC")
        await story(server, id_)
        assert numbers(await asyncio.wait_for(story(server, id_, after=-5), 5)) == [1, 2, 3]

    async def test_a_lost_connection_loses_nothing(self, server: Server):
        id_, _ = started(server, 10, "DETAILED")
        told: list[Progress] = []
        connections = 0
        while not told or told[-1]["batchJob"]["finishedAt"] is None:
            told += await story(server, id_, after=told[-1]["sequence"] if told else 0, most=4)
            connections += 1
        assert connections == 6
        assert numbers(told) == [*range(1, 22)]
        assert await story(server, id_, after=0) == told

    async def test_two_subscribers_are_told_the_same(self, server: Server):
        id_, _ = started(server, 5, "DETAILED")
        one, other, late = await asyncio.gather(
            story(server, id_, after=0), story(server, id_, after=0), story(server, id_)
        )
        assert numbers(one) == [*range(1, 12)]
        assert other == one
        assert late[1:] == one[late[0]["sequence"] :]

    async def test_cancelling_is_one_change(self, server: Server):
        id_, _ = started(server, 30, "DETAILED")
        cancel = "mutation ($id: ID!) { cancelBatchJob(input: {id: $id}) { errors { code } } }"
        watching = asyncio.create_task(story(server, id_, after=0))
        await asyncio.to_thread(server.ask, cancel, id=id_)
        told = await watching
        assert numbers(told) == [*range(1, len(told) + 1)]
        assert told[-1]["batchJob"]["status"] == "CANCELLED"
        [many] = [progress for progress in told[1:] if progress["item"] is None]
        assert many["batchJob"]["completed"] < 30

    async def test_a_retry_goes_on_counting(self, server: Server):
        payload = server.upload(sounds.encoded(sounds.tone()))["audioFile"]
        with server.without_bytes(payload):
            ended = await server.batch(audioFileIds=[payload["id"]])
        assert ended["status"] == "FAILED"
        retry = "mutation ($id: ID!) { retryBatchJob(input: {id: $id}) { errors { code } } }"
        assert server.ask(retry, id=ended["id"])["retryBatchJob"]["errors"] == []
        told = await story(server, ended["id"], after=0)
        assert numbers(told) == [1, 2, 3, 4, 5, 6]
        states = [progress["batchJob"]["status"] for progress in told]
        assert states[:4] == ["QUEUED", "RUNNING", "FAILED", "QUEUED"]
        assert states[-1] == "SUCCEEDED"


class TestAnalysisUpdated:
    async def test_from_queued_to_succeeded_and_on_to_the_next(self, server: Server):
        payload = server.upload(sounds.encoded(sounds.noise(20)), level="DETAILED")
        id_, order = payload["audioFile"]["id"], ["QUEUED", "RUNNING", "SUCCEEDED"]
        watching = server.watch(UPDATED, id=id_)

        async def until_the_end() -> list[dict[str, Any]]:
            steps = []
            async for event in watching:
                steps.append(event["analysisUpdated"])
                assert steps[-1]["audioFile"]["id"] == id_
                if steps[-1]["status"] == "SUCCEEDED":
                    return steps
            raise AssertionError("the subscription ended")

        async with contextlib.aclosing(watching):
            first = await until_the_end()
            assert {step["id"] for step in first} == {payload["analysis"]["id"]}
            states = [step["status"] for step in first]
            assert states[0] in ("QUEUED", "RUNNING")
            assert states == [status for status in order if status in states]
            assert first[-1]["kind"]

            again = server.ask(ANALYZE, id=id_, level="BASIC", force=True)["analyzeAudio"]
            second = await until_the_end()
            assert {step["id"] for step in second} == {again["analysis"]["id"]}
            assert [step["status"] for step in second][-2:] == ["RUNNING", "SUCCEEDED"]

    async def test_a_file_without_an_analysis_waits_for_one(self, server: Server):
        id_ = server.upload(sounds.encoded(sounds.tone()))["audioFile"]["id"]
        watching = server.watch(UPDATED, id=id_)
        async with contextlib.aclosing(watching):
            coming = asyncio.ensure_future(anext(watching))
            asked = await asyncio.to_thread(server.ask, ANALYZE, id=id_)
            event = await asyncio.wait_for(coming, 20)
            assert event["analysisUpdated"]["id"] == asked["analyzeAudio"]["analysis"]["id"]


async def messages(server: Server, query: str, **variables: Any) -> list[dict[str, Any]]:
    """What the server sends for one operation, up to its last word."""
    address = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(address, subprotocols=[PROTOCOL]) as socket_:
        await socket_.send('{"type": "connection_init"}')
        assert json.loads(await socket_.recv()) == {"type": "connection_ack"}
        payload = {"query": query, "variables": variables}
        await socket_.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        told = []
        while not told or told[-1]["type"] == "next":
            told.append(json.loads(await asyncio.wait_for(socket_.recv(), 10)))
        return told


def errors(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if told[0]["type"] == "error":
        return told[0]["payload"]
    return told[0]["payload"].get("errors", [])


class TestErrors:
    @pytest.mark.parametrize(
        ("query", "id_", "code"),
        [
            (PROGRESS, base64.b64encode(b"BatchJob:" + b"0" * 24).decode(), "NOT_FOUND"),
            (PROGRESS, base64.b64encode(b"AudioFile:" + b"0" * 24).decode(), "BAD_USER_INPUT"),
            (PROGRESS, "nonsense", "BAD_USER_INPUT"),
            (UPDATED, base64.b64encode(b"AudioFile:" + b"0" * 24).decode(), "NOT_FOUND"),
            (UPDATED, "", "BAD_USER_INPUT"),
            ("subscription {", "", "GRAPHQL_PARSE_FAILED"),
            ("subscription { nothing }", "", "GRAPHQL_VALIDATION_FAILED"),
            ("query ($id: ID!) { node(id: $id) { id } }", "x", "BAD_USER_INPUT"),
        ],
    )
    async def test_come_with_their_code(self, server: Server, query: str, id_: str, code: str):
        told = await messages(server, query, id=id_)
        [error] = errors(told)
        assert error["extensions"]["code"] == code
        assert error["message"]
        assert told[-1]["type"] in ("error", "complete")

    async def test_a_variable_that_is_missing(self, server: Server):
        [error] = errors(await messages(server, PROGRESS))
        assert error["extensions"]["code"] in ("BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED")

    async def test_queries_work_too(self, server: Server):
        told = await messages(server, "{ viewer { username } }")
        assert [message["type"] for message in told] == ["next", "complete"]
        assert told[0]["payload"]["data"] == {"viewer": {"username": "local"}}


@pytest.fixture
def second(server: Server) -> Iterator[Server]:
    """Another API process on the parts of the first one."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = server.process("api").environ()
    env = {
        **os.environ,
        **{name: value for name, value in told.items() if name.startswith("SAMPLEMIND_")},
        **{name: told[name] for name in ("PYTHONPATH",) if name in told},
        "SAMPLEMIND_PORT": str(port),
    }
    env.pop("SAMPLEMIND_RUN", None)
    process = subprocess.Popen([sys.executable, "-m", "samplemind", "api"], env=env)
    try:
        other = replace(server, url=f"http://127.0.0.1:{port}", pid=process.pid)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                if HTTP.get(f"{other.url}/health/ready").status_code == 200:
                    break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield other
    finally:
        process.terminate()
        process.wait(30)


async def test_any_api_process_tells_of_every_batch(server: Server, second: Server):
    id_, _ = started(server, 8, "DETAILED")
    there, here = await asyncio.gather(story(second, id_, after=0), story(server, id_, after=0))
    assert numbers(there) == [*range(1, 18)]
    assert there == here
    file = second.upload(sounds.encoded(sounds.noise(5)), level="DETAILED")["audioFile"]["id"]
    assert (await server.analyzed(file))["status"] == "SUCCEEDED"
