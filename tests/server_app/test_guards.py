"""What every answer says to browsers, and to whom a server without sign-in answers."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from samplemind.server.app import make_app
from samplemind.settings import Settings
from tests.people import open_to_many, served

ASKED = {"query": "{ __typename }"}


@pytest.fixture(scope="module")
async def local(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(settings):
        yield client


@pytest.fixture(scope="module")
async def shared(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(open_to_many(settings)):
        yield client


class TestHost:
    @pytest.mark.parametrize(
        "host", ["localhost", "localhost:8000", "127.0.0.1", "127.5.0.1:80", "[::1]:8000"]
    )
    async def test_of_this_machine_is_answered(self, local: httpx.AsyncClient, host: str):
        answer = await local.post("/graphql", json=ASKED, headers={"host": host})
        assert answer.json()["data"] == {"__typename": "Query"}

    @pytest.mark.parametrize(
        "host",
        ["evil.example", "evil.example:8000", "localhost.evil.example", "192.0.2.1", "", "[", "@"],
    )
    @pytest.mark.parametrize("path", ["/graphql", "/health/live", "/media/x"])
    async def test_of_another_name_is_refused(self, local: httpx.AsyncClient, host: str, path: str):
        answer = await local.get(path, headers={"host": host})
        assert answer.status_code == 421
        [error] = answer.json()["errors"]
        assert error["extensions"] == {"code": "HOST_NOT_KNOWN"}

    async def test_may_be_the_public_one(self, settings: Settings):
        public = {"public_url": "https://sounds.example.org/x"}
        async for client in served(settings.model_copy(update=public)):
            for host, status in (("sounds.example.org", 200), ("example.org", 421)):
                answer = await client.post("/graphql", json=ASKED, headers={"host": host})
                assert answer.status_code == status

    async def test_does_not_matter_where_people_sign_in(self, shared: httpx.AsyncClient):
        answer = await shared.post("/graphql", json=ASKED, headers={"host": "sounds.example.org"})
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [{"host": "evil.example"}, {"host": "localhost", "origin": "https://evil.example"}],
    )
    def test_and_origin_of_a_websocket_are_looked_at(
        self, settings: Settings, headers: dict[str, str]
    ):
        with TestClient(make_app(settings), base_url="http://localhost") as client:
            protocols = ["graphql-transport-ws"]
            with client.websocket_connect("/graphql", protocols, headers={"host": "localhost"}):
                pass
            with (
                pytest.raises(WebSocketDisconnect),
                client.websocket_connect("/graphql", protocols, headers=headers),
            ):
                pass


class TestHeaders:
    @pytest.mark.parametrize("path", ["/graphql", "/health/live", "/media/x", "/nothing", "/"])
    async def test_stand_in_every_answer(self, local: httpx.AsyncClient, path: str):
        answer = await local.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        expected = "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["content-security-policy"] == expected
        assert "strict-transport-security" not in answer.headers

    async def test_let_the_explorer_do_what_it_needs(self, local: httpx.AsyncClient):
        page = await local.get("/graphql", headers={"accept": "text/html"})
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-eval" not in policy
        assert "script-src" not in policy

    async def test_ask_for_https_where_there_is_https(self, local: httpx.AsyncClient):
        answer = await local.get("https://localhost/health/live")
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


async def test_no_page_describes_the_server_to_strangers(shared: httpx.AsyncClient) -> None:
    for path in ("/openapi.json", "/docs", "/redoc"):
        assert (await shared.get(path)).status_code == 404


async def test_a_crash_tells_nobody_of_our_insides(shared: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer " + "x" * 10_000}
    answer = await shared.post("/graphql", json={"query": "{ viewer { id } }"}, headers=headers)
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "Traceback" not in answer.text
