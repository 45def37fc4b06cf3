"""Limits as clients meet them over HTTP: costs told, refusals coded, with their statuses."""

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query
from starlette.testclient import TestClient, WebSocketTestSession

from samplemind.domain.ids import new_id
from samplemind.server.app import make_app
from samplemind.settings import Settings

NEWER = {"accept": "application/graphql-response+json"}
OLDER = {"accept": "application/json"}
TRUSTED = "query Trusted { __typename }"


async def app_with(settings: Settings, **changed: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(settings.model_copy(update=changed))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=20) as client,
    ):
        # An owner of its own, with points of its own.
        owner = app.state.local_user
        app.state.local_user = type(owner)(
            id=new_id(),
            username=owner.username,
            email=None,
            role=owner.role,
            created_at=owner.created_at,
        )
        yield client


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in app_with(settings, rate_limit=1_000, max_cost=500):
        yield client


@pytest.fixture
async def counting(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in app_with(settings, request_limit=3, max_cost=10):
        yield client


@pytest.fixture
async def trusting(settings: Settings, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    path = tmp_path / "documents.json"
    path.write_text(json.dumps({"id-of-ours": TRUSTED}))
    async for client in app_with(settings, trusted_documents=path):
        yield client


async def post(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/graphql", json=body, headers=NEWER)


LIST = "query ($first: Int) { audioFiles(first: $first) { edges { cursor } } }"


class TestCost:
    async def test_is_told_with_every_answer(self, client: httpx.AsyncClient):
        answer = (await post(client, query=LIST, variables={"first": 5})).json()
        assert answer["extensions"] == {"cost": {"requested": 7, "limit": 500}}
        answer = (await post(client, query='{ node(id: "x") { id } }')).json()
        assert answer["errors"]
        assert answer["extensions"]["cost"]["requested"] == 2

    async def test_may_be_what_the_limit_says_and_not_a_point_more(self, client: httpx.AsyncClient):
        pages = "{ " + " ".join(
            f"a{i}: audioFiles(first: 123) {{ edges {{ cursor }} }}" for i in "bcde"
        )
        spent = 1 + 4 * (1 + 123)
        rest = " ".join(f"r{i}: rateLimit {{ cost }}" for i in range(500 - spent))
        answer = await post(client, query=f"{pages} {rest} }}")
        assert answer.json()["extensions"]["cost"]["requested"] == 500
        assert "errors" not in answer.json()

        above = await post(client, query=f"{pages} {rest} more: viewer {{ id }} }}")
        assert above.status_code == 400
        [error] = above.json()["errors"]
        assert error["extensions"] == {
            "code": "OPERATION_TOO_EXPENSIVE",
            "limit": 500,
            "actual": 501,
        }
        assert "501" in error["message"]
        assert "500" in error["message"]
        assert above.json()["extensions"]["cost"] == {"requested": 501, "limit": 500}
        assert "data" not in above.json()

    async def test_limits_of_the_document_come_as_errors(self, client: httpx.AsyncClient):
        deep = "{ audioFiles { edges { node { " + "duplicates { " * 17 + "id" + " }" * 21
        answer = await post(client, query=deep)
        assert answer.status_code == 400
        [error] = answer.json()["errors"]
        assert error["extensions"] == {"code": "OPERATION_TOO_DEEP", "limit": 20, "actual": 21}
        assert error["locations"]
        older = await client.post("/graphql", json={"query": deep}, headers=OLDER)
        assert older.status_code == 200
        assert older.json()["errors"] == [error]

    async def test_the_root_may_name_its_type(self, client: httpx.AsyncClient):
        for query, data in (
            ("{ __typename }", {"__typename": "Query"}),
            ("{ viewer { username } __typename }", {"viewer": {"username": "local"}}),
        ):
            answer = (await post(client, query=query)).json()
            assert answer["data"] == {"__typename": "Query"} | data

    async def test_tools_read_the_schema(self, client: httpx.AsyncClient):
        answer = await post(client, query=get_introspection_query())
        assert answer.status_code == 200
        assert answer.json()["extensions"]["cost"]["requested"] == 1


class TestRateLimit:
    async def test_is_told_to_who_asks(self, client: httpx.AsyncClient):
        query = "{ rateLimit { limit remaining resetAt cost } }"
        first = (await post(client, query=query)).json()
        told = first["data"]["rateLimit"]
        assert (told["limit"], told["remaining"], told["cost"]) == (1_000, 998, 2)
        assert first["extensions"]["cost"]["requested"] == 2
        again = (await post(client, query=query)).json()["data"]["rateLimit"]
        assert again["remaining"] == 996
        assert again["resetAt"] == told["resetAt"]

    async def test_refuses_who_has_spent_it(self, client: httpx.AsyncClient):
        for _ in range(2):
            answer = await post(client, query=LIST, variables={"first": 200})
            assert "errors" not in answer.json()
        # 1,000 points less twice 202 and 501.
        page = "{ audioFiles(first: 200) { edges { cursor node { id } } } }"
        assert "errors" not in (await post(client, query=page)).json()
        refused = await post(client, query=LIST, variables={"first": 193})
        assert refused.status_code == 429
        [error] = refused.json()["errors"]
        seconds = error["extensions"].pop("retryAfter")
        assert 0 < seconds <= 121
        assert refused.headers["retry-after"] == str(seconds)
        assert error["extensions"] == {"code": "RATE_LIMITED"}
        assert f"{seconds} seconds" in error["message"]
        older = await client.post(
            "/graphql", json={"query": LIST, "variables": {"first": 193}}, headers=OLDER
        )
        assert older.status_code == 200
        assert older.headers["retry-after"]
        # What is left can still be spent.
        last = await post(client, query=LIST, variables={"first": 192})
        assert last.status_code == 200
        assert (await post(client, query="{ __typename }")).status_code == 429

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ audioFiles(first: 200) { edges { node { id } } } }", "OPERATION_TOO_EXPENSIVE"),
            ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ],
    )
    async def test_counts_what_is_not_run_too(
        self, counting: httpx.AsyncClient, query: str, code: str
    ):
        for _ in range(3):
            answer = await post(counting, query=query)
            assert answer.json()["errors"][0]["extensions"]["code"] == code
        refused = await post(counting, query=query)
        assert refused.status_code == 429
        assert refused.headers["retry-after"]

    async def test_without_redis_everybody_is_served(self, settings: Settings):
        gone = {"redis_url": "redis://127.0.0.1:1", "rate_limit": 1}
        async for client in app_with(settings, **gone):
            for _ in range(3):
                answer = (await post(client, query="{ rateLimit { limit remaining cost } }")).json()
                assert answer["data"]["rateLimit"] == {"limit": 1, "remaining": 1, "cost": 2}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class TestPersisted:
    async def test_by_apollo(self, client: httpx.AsyncClient):
        query = f"query A{new_id()} {{ viewer {{ username }} }}"
        extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256(query)}}
        unknown = await post(client, extensions=extensions)
        assert unknown.status_code == 400
        assert unknown.json() == {
            "errors": [
                {
                    "message": "PersistedQueryNotFound",
                    "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
                }
            ]
        }
        older = await client.post("/graphql", json={"extensions": extensions}, headers=OLDER)
        assert (older.status_code, older.json()) == (200, unknown.json())
        sent = await post(client, query=query, extensions=extensions)
        assert sent.json()["data"] == {"viewer": {"username": "local"}}
        assert (await post(client, extensions=extensions)).json() == sent.json()

    async def test_by_document_id_over_get_too(self, client: httpx.AsyncClient):
        query = f"query A{new_id()} {{ viewer {{ username }} }}"
        await post(client, query=query, documentId=sha256(query))
        parameters = {"documentId": f"sha256:{sha256(query)}"}
        for accept in (NEWER, {"accept": "text/html, */*"}):
            answer = await client.get("/graphql", params=parameters, headers=accept)
            assert answer.json()["data"] == {"viewer": {"username": "local"}}

    async def test_a_mutation_still_needs_post(self, client: httpx.AsyncClient):
        query = 'mutation { deleteAudioFile(input: {id: "x"}) { deletedId } }' + f" # {new_id()}"
        answer = await post(client, query=query, documentId=sha256(query))
        assert answer.status_code == 200
        answer = await client.get("/graphql", params={"documentId": sha256(query)}, headers=NEWER)
        assert answer.status_code == 405

    async def test_an_invalid_one_is_not_kept(self, client: httpx.AsyncClient):
        query = f"query A{new_id()} {{ nothing }}"
        answer = await post(client, query=query, documentId=sha256(query))
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        answer = await post(client, documentId=sha256(query))
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"

    async def test_a_request_without_any_is_told_so(self, client: httpx.AsyncClient):
        answer = await post(client, variables={})
        assert answer.status_code == 400
        assert "no `query`" in answer.json()["errors"][0]["message"]


class TestWebSocket:
    @pytest.fixture
    def socket(self, settings: Settings) -> Iterator[WebSocketTestSession]:
        limits = {"rate_limit": 1_000, "max_cost": 100}
        with (
            TestClient(make_app(settings.model_copy(update=limits))) as client,
            client.websocket_connect(
                "/graphql",
                subprotocols=["graphql-transport-ws"],
                headers={"host": "localhost"},
            ) as socket,
        ):
            socket.send_json({"type": "connection_init"})
            assert socket.receive_json() == {"type": "connection_ack"}
            yield socket

    def asked(self, socket: WebSocketTestSession, **payload: Any) -> Any:
        """The payload of the first answer."""
        id_ = new_id()
        socket.send_json({"type": "subscribe", "id": id_, "payload": payload})
        answer = socket.receive_json()
        assert answer["id"] == id_
        if answer["type"] == "next":
            assert socket.receive_json() == {"type": "complete", "id": id_}
        return answer["payload"]

    @pytest.mark.parametrize("by", ["documentId", "extensions"])
    def test_takes_documents_by_their_hash(self, socket: WebSocketTestSession, by: str):
        query = f"query A{new_id()} {{ viewer {{ username }} }}"
        persisted = {"version": 1, "sha256Hash": sha256(query)}
        name = {by: sha256(query) if by == "documentId" else {"persistedQuery": persisted}}
        [error] = self.asked(socket, **name)
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        data = {"viewer": {"username": "local"}}
        assert self.asked(socket, query=query, **name)["data"] == data
        told = self.asked(socket, **name)
        assert told["data"] == data
        assert told["extensions"]["cost"] == {"requested": 2, "limit": 100}
        [error] = self.asked(socket, query=query + " ", **name)
        assert error["extensions"]["code"] == "PERSISTED_QUERY_HASH_MISMATCH"

    def test_holds_to_the_limits(self, socket: WebSocketTestSession):
        [error] = self.asked(socket, query=LIST, variables={"first": 99})
        assert error["extensions"]["code"] == "OPERATION_TOO_EXPENSIVE"
        [error] = self.asked(socket, query="{ " + "viewer { id } " * 21 + "}")
        assert error["extensions"]["code"] == "TOO_MANY_ROOT_FIELDS"
        [error] = self.asked(socket, query="{")
        assert error["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


class TestStreams:
    async def test_take_documents_by_their_hash(self, client: httpx.AsyncClient):
        query = f"query A{new_id()} {{ viewer {{ username }} }}"
        body = {"documentId": sha256(query)}
        events = {"accept": "text/event-stream"}
        unknown = await client.post("/graphql", json=body, headers=events)
        assert "PersistedQueryNotFound" in unknown.text
        await post(client, query=query, **body)
        answer = await client.post("/graphql", json=body, headers=events)
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert '"username":"local"' in answer.text


class TestTrusted:
    async def test_only_these_are_run(self, trusting: httpx.AsyncClient):
        for body in ({"documentId": "id-of-ours"}, {"query": TRUSTED}):
            answer = await post(trusting, **body)
            assert answer.json()["data"] == {"__typename": "Query"}
        for body in (
            {"documentId": sha256(TRUSTED)},
            {"query": get_introspection_query()},
            {"query": "{ viewer { id } }"},
            {"query": "{"},
        ):
            answer = await post(trusting, **body)
            assert answer.status_code == 400
            [error] = answer.json()["errors"]
            assert error["extensions"] == {"code": "DOCUMENT_NOT_TRUSTED"}
