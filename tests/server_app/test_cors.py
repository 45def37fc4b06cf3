"""Pages of other sites: by default nothing, by setting what clients need."""

from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import ValidationError

from samplemind.server.app import make_app
from samplemind.settings import Settings

APP = "https://app.example.com"
PREFLIGHT = {
    "origin": APP,
    "access-control-request-method": "POST",
    "access-control-request-headers": "apollo-require-preflight,authorization,content-type",
}


async def _client(settings: Settings, *origins: str) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(settings.model_copy(update={"cors_origins": origins}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


@pytest.fixture(scope="module")
async def closed(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in _client(settings):
        yield client


@pytest.fixture(scope="module")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in _client(settings, APP, "http://localhost:5173"):
        yield client


def _granted(answer: httpx.Response) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-allow")}


async def test_by_default_no_other_site_is_let_in(closed: httpx.AsyncClient) -> None:
    assert _granted(await closed.options("/graphql", headers=PREFLIGHT)) == set()
    answer = await closed.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"origin": APP}
    )
    assert _granted(answer) == set()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD"])
@pytest.mark.parametrize("path", ["/graphql", "/anything"])
async def test_a_given_site_may_send_what_clients_send(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    asked = {**PREFLIGHT, "access-control-request-method": method}
    answer = await client.options(path, headers=asked)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    allowed = answer.headers["access-control-allow-headers"]
    assert set(asked["access-control-request-headers"].split(",")) <= set(allowed.split(","))
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{APP}.evil.example"])
async def test_no_site_but_those_given(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.options("/graphql", headers={**PREFLIGHT, "origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    answer = await client.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"origin": origin}
    )
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status"), [({"query": "{ __typename }"}, 200), ([], 400), ({"query": 1}, 400)]
)
async def test_its_pages_may_read_answers_and_refusals(
    client: httpx.AsyncClient, body: object, status: int
) -> None:
    answer = await client.post("/graphql", json=body, headers={"origin": APP})
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == APP
    assert {"Accept", "Origin"} == set(answer.headers["vary"].split(", "))
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"X-Request-ID", "Retry-After", "Content-Range", "ETag"} <= set(exposed)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", ()),
        ("*", ("*",)),
        (" https://App.Example.com:443/ ,http://localhost:5173,", (APP, "http://localhost:5173")),
        ("http://[::1]:80,tauri://localhost", ("http://[::1]", "tauri://localhost")),
    ],
)
def test_origins_are_read_as_browsers_write_them(
    given: str, read: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLEMIND_CORS_ORIGINS", given)
    assert Settings().cors_origins == read


@pytest.mark.parametrize("given", ["localhost:5173", "app.example.com", f"{APP}/path", "https://["])
def test_what_is_no_origin_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMPLEMIND_CORS_ORIGINS", given)
    with pytest.raises(ValidationError, match="cors_origins"):
        Settings()
