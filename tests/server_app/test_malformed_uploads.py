"""Multipart requests that are broken in any way: told so, and nothing of them is left."""

import contextlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from starlette.types import Message

from samplemind.server.app import make_app
from samplemind.settings import Settings
from tests.server import UPLOAD

_OPERATIONS = json.dumps({"query": UPLOAD, "variables": {"file": None}})
# More than what is kept in memory.
_SOUND = bytes(3 * 1024 * 1024)


def _part(name: str, content: str | bytes, more: str = "") -> bytes:
    content = content if isinstance(content, bytes) else content.encode()
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


_FILE = _part("0", _SOUND, '; filename="kick.wav"')
_HEAD = _part("operations", _OPERATIONS) + _part("map", '{"0": ["variables.file"]}')
_END = b"--x--\r\n"
_WHOLE = _HEAD + _FILE + _END


@pytest.fixture(scope="module")
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(settings.model_copy(update={"max_upload_bytes": 2 * len(_SOUND)}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def nothing_left(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """After a test there is no temporary file, not even one that is open alone, and no blob that
    was not there before."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = _blobs(settings)
    yield
    assert list(tmp_path.iterdir()) == []
    assert [path for path in _opened() if path.startswith(str(tmp_path))] == []
    assert _blobs(settings) == before


def _blobs(settings: Settings) -> set[Path]:
    stored = settings.data_dir / "blobs" / "local"
    return {path for path in stored.rglob("*") if path.is_file()}


def _opened() -> Iterator[str]:
    """What this process has open."""
    for entry in os.scandir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # other threads close theirs meanwhile
            yield os.readlink(entry.path)


async def _send(
    client: httpx.AsyncClient, body: bytes, content_type: str = "multipart/form-data; boundary=x"
) -> httpx.Response:
    headers = {b"content-type": content_type.encode(), b"apollo-require-preflight": b"true"}
    return await client.post("/graphql", content=body, headers=[*headers.items()])


async def test_the_whole_arrives(client: httpx.AsyncClient) -> None:
    payload = (await _send(client, _WHOLE)).json()["data"]["uploadAudio"]
    assert [error["code"] for error in payload["errors"]] == ["NOT_AUDIO"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--x",
        b"--x--",
        b"--x--\r\n",
        _END,
        _HEAD,
        _HEAD + _END,
        _FILE + _END,
        _WHOLE[:-9],
        _WHOLE[: len(_WHOLE) // 2],
        _WHOLE.replace(b"--x", b"--y"),
        _WHOLE.replace(b"\r\n", b"\n"),
        _WHOLE.replace(b'name="0"', b'name=""'),
        _WHOLE.replace(b'; name="0"', b""),
        _WHOLE.replace(b"Content-Disposition", b"Content-Type"),
        _WHOLE.replace(b"Content-Disposition", b"Content Disposition"),
        _WHOLE.replace(b'; filename="kick.wav"', b""),
        _part("operations", b"\xff\xfe") + _part("map", "{}") + _END,
        _part("operations", _OPERATIONS, '; filename="operations.json"')
        + _part("map", "{}")
        + _END,
        _part("operations", "[" * 100_000) + _part("map", "{}") + _END,
        _part("operations", f"[{_OPERATIONS}]") + _part("map", "{}") + _END,
        _part("operations", '{"query": 1}') + _part("map", "{}") + _END,
        _part("operations", '{"query": ""}') + _part("map", "{}") + _END,
        _part("operations", " " * (1024 * 1024 + 1)) + _part("map", "{}") + _END,
        _part("map", "{}") * 2 + _part("operations", _OPERATIONS) + _END,
        b"".join(_part(f"{index}", "") for index in range(11)) + _END,
        b"".join(_part(f"{index}", "", '; filename="a"') for index in range(101)) + _END,
        _part("operations", _OPERATIONS, "; x=" + "y" * 100_000) + _END,
        b"--x\r\n" + b"A: b\r\n" * 100 + b"\r\n\r\n" + _END,
    ],
    ids=range(30),
)
async def test_what_is_broken_is_the_clients_mistake(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await _send(client, body)
    assert answer.status_code == 400, answer.text
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] in ("BAD_REQUEST", "BATCHING_NOT_SUPPORTED")
    assert error["message"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "x" * 300, 400),
        ("multipart/form-data; boundary=\u00e9", 400),
        ("multipart/form-data; boundary=y", 400),
        ("multipart/form-data; boundary=x; charset=nothing", 200),
        ("Multipart/Form-Data; boundary=x", 200),
        ("multipart/mixed; boundary=x", 415),
        ("multipart/form-data, boundary=x", 415),
    ],
)
async def test_its_content_type(client: httpx.AsyncClient, content_type: str, status: int) -> None:
    answer = await _send(client, _WHOLE, content_type)
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    "path", ["variables.id", "variables.ids.0", "variables.filter.search", "variables.file"]
)
async def test_a_file_where_none_belongs(client: httpx.AsyncClient, path: str) -> None:
    query = """query ($id: ID, $ids: [ID!], $filter: AudioFileFilter, $file: Int) {
        viewer { id } }"""
    variables = {"id": None, "ids": [None], "filter": {"search": None}, "file": None}
    body = _part("operations", json.dumps({"query": query, "variables": variables}))
    body += _part("map", json.dumps({"0": [path]})) + _FILE + _END
    answer = await _send(client, body)
    assert answer.status_code == 200
    assert "data" not in answer.json()
    assert {error["extensions"]["code"] for error in answer.json()["errors"]} <= {
        "BAD_USER_INPUT",
        "GRAPHQL_VALIDATION_FAILED",
    }


async def test_a_client_that_goes_away(client: httpx.AsyncClient) -> None:
    received = iter(
        [
            {"type": "http.request", "body": _WHOLE[:-100], "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            (b"content-type", b"multipart/form-data; boundary=x"),
            (b"apollo-require-preflight", b"true"),
        ],
    }

    async def receive() -> Message:
        return next(received)

    async def send(message: Message) -> None:
        sent.append(message)

    with structlog.testing.capture_logs() as logs:
        await client._transport.app(scope, receive, send)  # pyright: ignore
    assert sent == []
    assert [line["event"] for line in logs] == ["request"]


@hypothesis_settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500), st.binary(max_size=6)), max_size=4)
)
async def test_any_damage_is_answered(
    client: httpx.AsyncClient, damage: list[tuple[int, int, bytes]]
) -> None:
    body = _HEAD + _part("0", b"RIFF", '; filename="kick.wav"') + _END
    for start, length, instead in damage:
        body = body[:start] + instead + body[start + length :]
    answer = await _send(client, body)
    assert answer.status_code in (200, 400), answer.text
    answered = answer.json()
    if "errors" in answered:
        assert all(error["extensions"]["code"] for error in answered["errors"])
        assert "INTERNAL" not in answer.text
