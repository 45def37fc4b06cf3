"""One trace and one request id from a request to the worker that does its work."""

import json
import subprocess
import sys
from secrets import token_hex
from typing import Any

import httpx

from schema.ids import decode_id
from tests.server import HTTP, UPLOAD
from tests.watching.collector import Span
from tests.watching.conftest import Watched

STEPS = ["fetch", "decode", "analyse", "store"]


def upload(watched: Watched, number: int, **headers: str) -> dict[str, Any]:
    """Of a sound that is analysed then, for the first time."""
    sound = watched.server.sounds[number]
    variables = {"file": None, "analyze": {"level": "PROFESSIONAL"}}
    answer = httpx.post(
        f"{watched.server.url}/graphql",
        data={
            "operations": json.dumps({"query": UPLOAD, "variables": variables}),
            "map": '{"0": ["variables.file"]}',
        },
        files={"0": (f"{token_hex(4)}.flac", sound.read_bytes())},
        headers={"apollo-require-preflight": "true", **headers},
    ).json()
    return answer["data"]["uploadAudio"]


def lineage(spans: list[Span], name: str) -> list[str]:
    """The names from the span back to where its trace began."""
    by_id = {span.id: span for span in spans}
    [span] = [span for span in spans if span.name == name]
    names = [span.name]
    while span.parent in by_id:
        span = by_id[span.parent]
        names.append(span.name)
    return names


class TestTrace:
    async def test_goes_on_from_the_caller_through_the_api_to_the_worker(self, watched: Watched):
        trace_id, parent = token_hex(16), token_hex(8)
        stored = upload(watched, 6, traceparent=f"00-{trace_id}-{parent}-01")
        assert stored["errors"] == []
        await watched.server.analyzed(stored["audioFile"]["id"])
        spans = watched.collector.trace(trace_id, "samplemind.analyze")
        [first] = [span for span in spans if span.name == "POST /graphql"]
        assert first.parent == parent
        assert first.service == "samplemind-api"
        assert first.attributes["http.response.status_code"] == "200"
        request = ["operation uploadAudio", "POST /graphql"]
        assert lineage(spans, "documents insert analyses") == [
            "documents insert analyses",
            *request,
        ]
        assert lineage(spans, "blobs put") == ["blobs put", *request]
        for step in STEPS:
            assert lineage(spans, step) == [step, "samplemind.analyze", *request]
        [task] = [span for span in spans if span.name == "samplemind.analyze"]
        assert task.service == "samplemind-worker"

    async def test_of_a_batch_reaches_each_of_its_items(self, watched: Watched):
        trace_id = token_hex(16)
        stored = [watched.server.upload(sound)["audioFile"] for sound in watched.server.sounds[:3]]
        answer = HTTP.post(
            f"{watched.server.url}/graphql",
            json={
                "query": """mutation ($ids: [ID!]!) { createBatchJob(
                    input: {audioFileIds: $ids, level: STANDARD}
                ) { batchJob { id } } }""",
                "variables": {"ids": [each["id"] for each in stored]},
            },
            headers={"traceparent": f"00-{trace_id}-{token_hex(8)}-01"},
        ).json()
        assert "errors" not in answer, answer
        async for _ in watched.server.watch(
            "subscription ($id: ID!) { batchProgress(batchId: $id) { sequence } }",
            id=answer["data"]["createBatchJob"]["batchJob"]["id"],
        ):
            pass
        spans = watched.collector.trace(trace_id, "samplemind.analyze", count=3)
        names = [span.name for span in spans]
        assert names.count("samplemind.analyze") == names.count("vectors put") == 3

    def test_is_new_where_the_caller_has_none_and_names_the_code(self, watched: Watched):
        httpx.post(
            f"{watched.server.url}/graphql",
            json={"query": "{ batchJobs(first: -1) { totalCount } }"},
        )
        operation = watched.collector.named("operation batchJobs")
        assert operation.attributes["samplemind.code"] == "BAD_USER_INPUT"
        spans = watched.collector.trace(operation.trace_id, "POST /graphql")
        [first] = [span for span in spans if span.name == "POST /graphql"]
        assert first.parent == ""

    def test_tells_no_link_that_lets_somebody_in(self, watched: Watched):
        httpx.get(f"{watched.server.url}/media/secret-token")
        assert (
            watched.collector.named("GET /media/…").attributes["http.response.status_code"] == "403"
        )


class TestLog:
    async def test_of_the_worker_has_the_id_and_the_trace_of_the_request(self, watched: Watched):
        request_id, trace_id = token_hex(8), token_hex(16)
        stored = upload(
            watched,
            7,
            **{"x-request-id": request_id, "traceparent": f"00-{trace_id}-{token_hex(8)}-01"},
        )
        await watched.server.analyzed(stored["audioFile"]["id"])
        watched.collector.trace(trace_id, "samplemind.analyze")
        for part, event in (("api", "request"), ("worker", "analysis ended")):
            line = watched.logged(part, event, request_id)
            assert line["trace_id"] == trace_id
        assert line["task_id"] != request_id

    async def test_of_another_task_does_not_have_it(self, watched: Watched):
        """What is bound to a task is let go with it."""
        first, second = token_hex(8), token_hex(8)
        for number, request_id in ((8, first), (9, second)):
            stored = upload(watched, number, **{"x-request-id": request_id})
            await watched.server.analyzed(stored["audioFile"]["id"])
            line = watched.logged("worker", "analysis ended", request_id)
            assert line["analysis_id"] == decode_id(stored["analysis"]["id"])[1]


def test_without_a_collector_nothing_of_opentelemetry_is_loaded():
    code = """
import sys
from samplemind import tracing
from samplemind.server.app import make_app
tracing.configure_traces("samplemind-api")
assert not tracing.is_on()
with tracing.trace("one") as one, tracing.span("two") as two:
    assert one is two is None
assert tracing.carrier() == {}
assert "opentelemetry.sdk.trace" not in sys.modules
assert "opentelemetry.exporter.otlp" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
