"""The ASGI application on real parts: limits, request ids, health."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import structlog
from fastapi import FastAPI

from samplemind.logs import RequestLog
from samplemind.parts import Parts
from samplemind.server import health
from samplemind.server.app import make_app
from samplemind.settings import Settings

_LIMIT = 1_000
# What the server lets a request hold besides its file.
_FORM = 1024 * 1024
_UPLOAD = (
    "mutation ($file: Upload!) { uploadAudio(input: {file: $file}) { errors { code field } } }"
)
_PREFLIGHT = {"apollo-require-preflight": "true"}
_DEAD = "127.0.0.1:1"


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=20
    )


@pytest.fixture(scope="module")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(settings.model_copy(update={"max_upload_bytes": _LIMIT}))
    async with app.router.lifespan_context(app), _client(app) as client:
        yield client


async def _uploaded(client: httpx.AsyncClient, size: int) -> httpx.Response:
    operations = {"query": _UPLOAD, "variables": {"file": None}}
    return await client.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": '{"0": ["variables.file"]}'},
        files={"0": ("kick.wav", bytes(size))},
        headers=_PREFLIGHT,
    )


async def test_a_file_above_the_limit_is_refused_by_its_payload(client: httpx.AsyncClient) -> None:
    for size, code in ((_LIMIT, "NOT_AUDIO"), (_LIMIT + 1, "FILE_TOO_LARGE"), (0, "EMPTY_FILE")):
        answer = await _uploaded(client, size)
        assert answer.status_code == 200
        [error] = answer.json()["data"]["uploadAudio"]["errors"]
        assert error["code"] == code


async def test_a_request_above_the_limit_is_refused_while_it_arrives(
    client: httpx.AsyncClient,
) -> None:
    answer = await _uploaded(client, _LIMIT + _FORM)
    assert answer.status_code == 413
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "FILE_TOO_LARGE"}


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
async def test_a_body_of_unknown_length_is_not_read_without_end(
    client: httpx.AsyncClient, kind: str
) -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        if kind.startswith("multipart"):
            head = b'--x\r\nContent-Disposition: form-data; name="0"; filename="kick.wav"\r\n\r\n'
            yield head
        for _ in range(1_000):
            sent += 64 * 1024
            yield bytes(64 * 1024)

    answer = await client.post(
        "/graphql", content=body(), headers=_PREFLIGHT | {"content-type": kind}
    )
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"] == {"code": "FILE_TOO_LARGE"}
    assert sent < 2 * _FORM


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"operations": "null", "map": "{}"}, "operations"),
        ({"operations": "{}"}, "map"),
        ({"operations": "{", "map": "{}"}, "operations"),
    ],
)
async def test_a_malformed_upload_is_the_clients_mistake(
    client: httpx.AsyncClient, data: dict[str, str], said: str
) -> None:
    answer = await client.post("/graphql", data=data, files={"9": ("a", b"b")}, headers=_PREFLIGHT)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert said in error["message"]


@pytest.mark.parametrize("given", ["a", "0" * 64, "550e8400-e29b-41d4-a716-446655440000"])
async def test_a_sane_request_id_is_kept(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/health/live", headers={"x-request-id": given})
    assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize(
    "given", ["", "-", "0" * 65, "a b", "a\tb", "a;b", "<b>", "\u00e9", "a=b c=d", '"'], ids=ascii
)
async def test_any_other_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    headers = {"x-request-id": given.encode("utf-8")}
    answer = await client.get("/health/live", headers=headers)  # pyright: ignore
    [made] = answer.headers.get_list("x-request-id")
    assert len(made) == 16
    assert int(made, 16)


async def test_every_request_has_an_id_of_its_own(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get("/health/live") for _ in range(20)))
    assert len({answer.headers["x-request-id"] for answer in answers}) == 20
    missing = await client.get("/missing")
    assert missing.status_code == 404
    assert missing.headers["x-request-id"]


async def test_lines_logged_meanwhile_carry_the_id() -> None:
    app = FastAPI()
    app.add_middleware(RequestLog)
    bound: dict[str, object] = {}

    @app.get("/here")
    async def here() -> None:
        bound.update(structlog.contextvars.get_contextvars())

    async with _client(app) as client:
        with structlog.testing.capture_logs() as logs:
            await client.get("/here", headers={"x-request-id": "me"})
    assert bound == {"request_id": "me"}
    assert structlog.contextvars.get_contextvars() == {}
    [line] = [line for line in logs if line["event"] == "request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/here", 200)


async def test_a_crash_is_answered_and_logged_with_its_id() -> None:
    app = FastAPI()
    app.add_middleware(RequestLog)

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        with structlog.testing.capture_logs() as logs:
            answer = await client.get("/broken")
    assert answer.status_code == 500
    [line] = [line for line in logs if line["event"] == "request"]
    assert line["status"] == 500
    assert answer.headers["x-request-id"]
    assert answer.json()["errors"][0]["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}


async def test_the_server_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/api/v1/health/live", "/health/ready", "/api/v1/health/ready"):
        assert (await client.get(path)).status_code == 200


async def test_without_a_worker_it_is_degraded_and_says_what_to_do(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/api/v1/health")
    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "degraded"
    assert {name for name, part in body["parts"].items() if part["status"] == "up"} == {
        "documents",
        "events",
        "vectors",
        "blobs",
    }
    assert all(part["version"] for name, part in body["parts"].items() if name != "worker")
    assert "samplemind worker" in body["parts"]["worker"]["advice"]


@pytest.mark.parametrize(
    ("setting", "address", "down", "ready"),
    [
        ("chroma_url", f"http://{_DEAD}", {"vectors"}, 200),
        ("redis_url", f"redis://{_DEAD}/0", {"events"}, 200),
        ("mongo_url", f"mongodb://{_DEAD}/samplemind", {"documents"}, 503),
    ],
)
async def test_a_dead_part_is_named_with_advice(
    settings: Settings, setting: str, address: str, down: set[str], ready: int
) -> None:
    app = FastAPI()
    app.include_router(health.router)
    app.state.parts = Parts.open(settings.model_copy(update={setting: address}))
    async with _client(app) as client:
        answer, readiness, live = await asyncio.gather(
            *map(client.get, ("/api/v1/health", "/health/ready", "/health/live"))
        )
    await app.state.parts.close()
    assert answer.status_code == 503
    body = answer.json()
    found = {name for name, part in body["parts"].items() if part["status"] == "down"}
    assert found == down | {"worker"}
    [name] = down
    assert f"SAMPLEMIND_{setting.upper()}" in body["parts"][name]["advice"]
    assert body["parts"][name]["latencyMs"] < 3_500
    assert (readiness.status_code, live.status_code) == (ready, 200)
