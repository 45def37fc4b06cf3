"""Results over HTTP as they come: server-sent events, multipart, `@defer`; byte by byte."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from samplemind.domain.ids import new_id
from schema.ids import encode_id
from tests.e2e.test_live import PROGRESS, UPDATED, started
from tests.server import HTTP, UPLOAD, Server

SSE = "text/event-stream"
SUBSCRIPTION = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
JSON_TYPES = ("application/json", "application/graphql-response+json")

Events = list[tuple[str, Any]]


def events(text: str) -> Events:
    """The events of a stream, by the rules of the HTML standard for its fields."""
    told: Events = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(":", 1) for line in block.split("\n") if line and not line.startswith(":")
        )
        if fields:
            data = fields["data"].strip()
            told.append((fields["event"].strip(), without_cost(json.loads(data)) if data else None))
    return told


def parts(response: httpx.Response) -> list[Any]:
    """The JSON of each part. Fails where a reader would."""
    assert response.headers["content-type"].startswith('multipart/mixed; boundary="graphql"')
    start, *bodies, end = ("\r\n" + response.text).split("\r\n--graphql")
    assert (start, end) == ("", "--\r\n")
    told = []
    for body in bodies:
        headers, content = body.split("\r\n\r\n", 1)
        assert headers.lower().strip() == "content-type: application/json; charset=utf-8"
        told.append(without_cost(json.loads(content)))
    return told


def without_cost(result: dict[str, Any]) -> dict[str, Any]:
    """What an operation costs is tested elsewhere."""
    return {name: value for name, value in result.items() if name != "extensions"}


def post(server: Server, accept: str, query: str, **variables: Any) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return HTTP.post(f"{server.url}/graphql", json=body, headers={"accept": accept})


def get(server: Server, accept: str, query: str, **variables: Any) -> httpx.Response:
    asked = {"query": query, "variables": json.dumps(variables)}
    return HTTP.get(f"{server.url}/graphql", params=asked, headers={"accept": accept})


@pytest.fixture
async def batch(server: Server) -> str:
    """A batch job of two files that has ended: five changes."""
    id_, _ = started(server, 2, "BASIC")
    async for _ in server.watch(PROGRESS, id=id_):
        pass
    return id_


def code(result: dict[str, Any]) -> str:
    [error] = result["errors"]
    return error["extensions"]["code"]


class TestServerSentEvents:
    @pytest.mark.parametrize("ask", [get, post])
    def test_a_subscription_from_where_the_client_was(self, server: Server, batch: str, ask: Any):
        response = ask(server, SSE, PROGRESS, id=batch, after=2)
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(SSE)
        assert "no-cache" in response.headers["cache-control"]
        told = events(response.text)
        assert [kind for kind, _ in told] == ["next", "next", "next", "complete"]
        steps = [result["data"]["batchProgress"] for _, result in told[:-1]]
        assert [step["sequence"] for step in steps] == [3, 4, 5]
        assert told[-1][1] is None

    @pytest.mark.parametrize("ask", [get, post])
    def test_a_query_is_one_event(self, server: Server, ask: Any):
        told = events(ask(server, SSE, "{ viewer { username } }").text)
        assert told == [("next", {"data": {"viewer": {"username": "local"}}}), ("complete", None)]

    def test_a_mutation_by_post_only(self, server: Server):
        query = 'mutation { deleteAudioFile(input: {id: "x"}) { errors { code } } }'
        told = events(post(server, SSE, query).text)
        payload = {"deleteAudioFile": {"errors": [{"code": "BAD_USER_INPUT"}]}}
        assert told == [("next", {"data": payload}), ("complete", None)]
        refused = get(server, SSE, query)
        assert refused.status_code in (400, 405)
        assert code(refused.json())

    @pytest.mark.parametrize(
        ("query", "variables", "expected"),
        [
            ("{", {}, "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
            ("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
            (PROGRESS, {}, "BAD_USER_INPUT"),
            (PROGRESS, {"id": "nonsense"}, "BAD_USER_INPUT"),
            (PROGRESS, {"id": encode_id("BatchJob", new_id())}, "NOT_FOUND"),
            (UPDATED, {"id": encode_id("AudioFile", new_id())}, "NOT_FOUND"),
        ],
    )
    def test_errors_come_as_an_event(
        self, server: Server, query: str, variables: dict[str, Any], expected: str
    ):
        [(kind, result), end] = events(post(server, SSE, query, **variables).text)
        assert (kind, end) == ("next", ("complete", None))
        assert code(result) == expected
        assert "data" not in result

    def test_a_request_that_is_none_is_refused_as_ever(self, server: Server):
        refused = HTTP.post(f"{server.url}/graphql", content="{", headers={"accept": SSE})
        assert refused.status_code in (400, 415)
        assert code(refused.json())

    async def test_silence_is_filled_with_comments(self, server: Server):
        id_ = server.ask("{ audioFiles(first: 1) { edges { node { id } } } }")
        id_ = id_["audioFiles"]["edges"][0]["node"]["id"]
        body = {"query": UPDATED, "variables": {"id": id_}}
        beats = {SSE: ":", SUBSCRIPTION: "{}"}

        async def beaten(client: httpx.AsyncClient, accept: str) -> None:
            headers = {"accept": accept}
            async with client.stream("POST", "/graphql", json=body, headers=headers) as response:
                told = False
                async for line in response.aiter_lines():
                    told = told or "analysisUpdated" in line
                    if told and line == beats[accept]:
                        return
            raise AssertionError("the stream ended")

        async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
            await asyncio.gather(*(beaten(client, accept) for accept in beats))


class TestMultipartSubscriptions:
    def test_each_change_is_a_part(self, server: Server, batch: str):
        response = post(server, SUBSCRIPTION, PROGRESS, id=batch, after=0)
        assert "subscriptionSpec=1.0" in response.headers["content-type"]
        told = [part["payload"]["data"]["batchProgress"] for part in parts(response)]
        assert [step["sequence"] for step in told] == [1, 2, 3, 4, 5]

    def test_a_refusal_is_a_part(self, server: Server):
        [part] = parts(post(server, SUBSCRIPTION, PROGRESS, id="nonsense"))
        assert code(part["payload"]) == "BAD_USER_INPUT"

    def test_a_query_that_could_be_either_is_plain(self, server: Server):
        response = post(server, SUBSCRIPTION, "{ viewer { username } }")
        assert response.headers["content-type"].split(";")[0] in JSON_TYPES
        assert response.json()["data"] == {"viewer": {"username": "local"}}


DEFERRED = """
query ($first: Int = 2, $if: Boolean! = true, $after: String) {
  audioFiles(first: $first, orderBy: {field: UPLOADED_AT, direction: ASC}) {
    edges { node { id ...Similar @defer(if: $if, label: "similar") } }
  }
  viewer { username }
}
fragment Similar on AudioFile { filename similarTo(first: 1, after: $after) { edges { score } } }
"""
LATEST = "multipart/mixed;incrementalSpec=v0.2,application/json"
EARLIER = "multipart/mixed;deferSpec=20220824,application/json"
TAKEN = [LATEST, EARLIER, "multipart/mixed", "application/json, text/event-stream, multipart/mixed"]


def merged(told: list[Any]) -> Any:
    """What a client makes of the parts, in either form."""
    data, pending = told[0]["data"], {}
    for part in told:
        pending |= {each["id"]: each["path"] for each in part.get("pending", ())}
        for patch in part.get("incremental", ()):
            path = patch.get("path") or [*pending[patch["id"]], *patch.get("subPath", ())]
            target = data
            for step in path:
                target = target[step]
            target |= patch["data"] or {}
    return data


class TestDefer:
    @pytest.mark.parametrize("accept", TAKEN)
    def test_what_is_deferred_comes_later_and_is_the_same(self, server: Server, accept: str):
        told = parts(post(server, accept, DEFERRED))
        early = told[0]["data"]
        assert [set(edge["node"]) for edge in early["audioFiles"]["edges"]] == [{"id"}, {"id"}]
        assert [part["hasNext"] for part in told] == [True] * (len(told) - 1) + [False]
        assert merged(told) == server.ask(DEFERRED)

    def test_the_forms(self, server: Server):
        response = post(server, LATEST, DEFERRED, first=1)
        assert "incrementalSpec=v0.2" in response.headers["content-type"]
        first, second = parts(response)
        path = ["audioFiles", "edges", 0, "node"]
        assert first["pending"] == [{"id": "0", "path": path, "label": "similar"}]
        [patch] = second["incremental"]
        assert set(patch) == {"id", "data"}
        assert second["completed"] == [{"id": "0"}]

        response = post(server, EARLIER, DEFERRED, first=1)
        assert "deferSpec=20220824" in response.headers["content-type"]
        first, second = parts(response)
        assert set(first) == {"data", "hasNext"}
        assert set(second) == {"incremental", "hasNext"}
        [patch] = second["incremental"]
        assert set(patch) == {"path", "label", "data"}
        assert (patch["path"], patch["label"]) == (path, "similar")

    @pytest.mark.parametrize("accept", ["application/json", "*/*", SUBSCRIPTION])
    def test_whoever_takes_one_answer_gets_it_whole(self, server: Server, accept: str):
        response = post(server, accept, DEFERRED)
        assert response.headers["content-type"].split(";")[0] in JSON_TYPES
        assert response.json()["data"]["audioFiles"]["edges"][0]["node"]["similarTo"]["edges"]

    def test_as_an_event_it_is_whole_too(self, server: Server):
        [(_, result), _] = events(post(server, SSE, DEFERRED).text)
        assert result == {"data": server.ask(DEFERRED)}

    def test_not_deferred_by_its_own_condition(self, server: Server):
        [only] = parts(post(server, LATEST, DEFERRED, **{"if": False}))
        assert only == {"data": server.ask(DEFERRED), "hasNext": False}

    @pytest.mark.parametrize("accept", [LATEST, EARLIER])
    def test_an_error_in_what_is_deferred_has_its_code(self, server: Server, accept: str):
        told = parts(post(server, accept, DEFERRED, first=1, after="nonsense"))
        failed = [
            error
            for part in told[1:]
            for patch in (*part.get("incremental", ()), *part.get("completed", ()))
            for error in patch.get("errors", ())
        ]
        [error] = failed
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["path"] == ["audioFiles", "edges", 0, "node", "similarTo"]
        assert "errors" not in told[0]

    @pytest.mark.parametrize("accept", [LATEST, EARLIER])
    def test_an_error_beside_it_has_its_code(self, server: Server, accept: str):
        query = '{ node(id: "x") { id } viewer { id ... @defer { username } } }'
        first, *_ = parts(post(server, accept, query))
        assert first["data"]["node"] is None
        assert code(first) == "BAD_USER_INPUT"

    @pytest.mark.parametrize("accept", [LATEST, "application/json"])
    def test_where_it_may_not_stand(self, server: Server, accept: str):
        response = post(server, accept, "mutation { ... @defer { __typename } }")
        [result] = parts(response) if accept == LATEST else [response.json()]
        assert code(result) == "GRAPHQL_VALIDATION_FAILED"
        assert result.get("data") is None

    def test_an_uploaded_file_is_there_for_what_is_deferred(self, server: Server):
        query = UPLOAD.replace("errors {", "... @defer { __typename } errors {")
        variables = {"file": None, "analyze": None}
        response = HTTP.post(
            f"{server.url}/graphql",
            data={
                "operations": json.dumps({"query": query, "variables": variables}),
                "map": '{"0": ["variables.file"]}',
            },
            files={"0": ("loop.flac", server.sounds[0].read_bytes())},
            headers={"apollo-require-preflight": "true", "accept": LATEST},
        )
        payload = merged(parts(response))["uploadAudio"]
        assert payload["errors"] == []
        assert payload["__typename"] == "UploadAudioPayload"
