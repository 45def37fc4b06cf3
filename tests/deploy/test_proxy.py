"""deploy/Caddyfile, run by Caddy before two real API processes."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from samplemind.settings import Settings
from tests.server import HTTP, SAMPLEMIND, Server

ROOT = Path(__file__).parents[2]
DRAIN_SECONDS = 3

pytestmark = pytest.mark.skipif(not shutil.which("caddy"), reason="needs Debian's caddy")

REQUEST_UPLOAD = """mutation ($size: Float!) {
    requestUpload(input: {filename: "long.wav", sizeBytes: $size}) {
        url errors { code message } } }"""
WATCH = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id status } }"


@dataclass
class Api:
    """One process, which can be started again on its port."""

    port: int
    env: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [SAMPLEMIND, "api"],
                env={**self.env, "SAMPLEMIND_PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
        until(lambda: answers(f"http://127.0.0.1:{self.port}/health/ready"))

    @property
    def answered(self) -> int:
        """Requests to /graphql so far."""
        return self.log.read_text().count('"path":"/graphql"')


@dataclass
class Site:
    server: Server
    apis: list[Api]


def answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return HTTP.get(url).status_code == 200
    return False


def until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        for each in sockets:
            stack.enter_context(each)
        return [each.getsockname()[1] for each in sockets]


@pytest.fixture(scope="module")
def site(
    settings: Settings, sounds: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("proxy")
    own, *ports = free_ports(3)
    env = {
        **os.environ,
        "SAMPLEMIND_DATA_DIR": str(folder),
        # Its own, since others look at what waits for a worker.
        "SAMPLEMIND_MONGO_URL": settings.mongo_url.replace("/samplemind", "/proxy"),
        "SAMPLEMIND_REDIS_URL": settings.redis_url.removesuffix("/0") + "/1",
        "SAMPLEMIND_CHROMA_URL": settings.chroma_url,
        "SAMPLEMIND_BLOB_URL": settings.blob_url,
        "SAMPLEMIND_LOG_JSON": "true",
        "SAMPLEMIND_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "SITE": f"http://127.0.0.1:{own}",
        "UPSTREAMS": " ".join(f"127.0.0.1:{port}" for port in ports),
        "XDG_CONFIG_HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
    }
    apis = [Api(port, env, folder / f"api-{port}.log") for port in ports]
    with contextlib.ExitStack() as stack:
        for api in apis:
            api.start()
            # At once: how it leaves is seen below.
            stack.callback(lambda api=api: (api.process.kill(), api.process.wait()))
        with (folder / "caddy.log").open("wb") as log:
            caddy = subprocess.Popen(
                ["caddy", "run", "--adapter", "caddyfile", "--config", ROOT / "deploy/Caddyfile"],
                env=env,
                stdout=log,
                stderr=log,
            )
        stack.callback(caddy.wait)
        stack.callback(caddy.terminate)
        url = f"http://127.0.0.1:{own}"
        until(lambda: answers(f"{url}/health/ready"))
        yield Site(Server(url, folder, caddy.pid, sounds), apis)


def test_both_processes_answer(site: Site):
    before = [api.answered for api in site.apis]
    for _ in range(20):
        assert site.server.ask("{ viewer { username } }")["viewer"]["username"] == "local"
    until(lambda: sum(api.answered for api in site.apis) == sum(before) + 20)
    assert all(api.answered > count for api, count in zip(site.apis, before, strict=True))


def test_links_begin_with_the_address_of_the_proxy(site: Site):
    answer = site.server.ask(REQUEST_UPLOAD, size=10)
    assert answer["requestUpload"]["url"].startswith(f"{site.server.url}/uploads/")


def test_an_upload_is_passed_on_as_it_comes(site: Site, settings: Settings):
    chunk, chunks = bytes(1024**2), 64
    url = site.server.ask(REQUEST_UPLOAD, size=len(chunk) * chunks)["requestUpload"]["url"]
    uploads = Path(settings.blob_url.removeprefix("file://")) / "uploads"

    def arrived() -> int:
        """Bytes of what is not yet whole."""
        return sum(path.stat().st_size for path in uploads.rglob("*") if path.is_file())

    def body() -> Iterator[bytes]:
        before = arrived() if uploads.exists() else 0
        for number in range(chunks):
            if number == chunks // 2:
                until(lambda: uploads.exists() and arrived() > before)
            yield chunk

    headers = {"content-length": str(len(chunk) * chunks)}
    assert HTTP.put(url, content=body(), headers=headers).status_code == 204


@pytest.fixture(scope="module")
def file_id(site: Site) -> str:
    return site.server.upload(site.server.sounds[0])["audioFile"]["id"]


async def test_a_websocket_is_passed_on(site: Site, file_id: str):
    analysis = analyze(site, file_id)
    async with contextlib.aclosing(site.server.watch(WATCH, id=file_id)) as events:
        assert (await anext(events))["analysisUpdated"]["id"] == analysis


async def test_server_sent_events_come_one_by_one(site: Site, file_id: str):
    first = analyze(site, file_id)
    async with httpx.AsyncClient(timeout=20) as http, stream(http, site, file_id) as events:
        assert (await anext(events))["analysisUpdated"]["id"] == first
        # The stream has not ended, and another event comes when there is one.
        second = analyze(site, file_id)
        assert (await anext(events))["analysisUpdated"]["id"] == second


@contextlib.asynccontextmanager
async def stream(
    http: httpx.AsyncClient, site: Site, file_id: str
) -> AsyncIterator[AsyncIterator[dict[str, dict[str, str]]]]:
    body = {"query": WATCH, "variables": {"id": file_id}}
    headers = {"accept": "text/event-stream"}
    url = f"{site.server.url}/graphql"
    async with http.stream("POST", url, json=body, headers=headers) as response:

        async def events() -> AsyncIterator[dict[str, dict[str, str]]]:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))["data"]

        yield events()


def analyze(site: Site, file_id: str) -> str:
    """Asks for another analysis, which nobody makes: there is no worker."""
    answer = site.server.ask(
        """mutation ($id: ID!) { analyzeAudio(input: {audioFileId: $id, force: true}) {
            analysis { id } errors { code } } }""",
        id=file_id,
    )["analyzeAudio"]
    assert answer["errors"] == []
    return answer["analysis"]["id"]


async def test_no_request_fails_while_one_process_after_the_other_starts_anew(
    site: Site, file_id: str
):
    """Queries and mutations, over connections that stay open and over new ones."""
    ended = asyncio.Event()
    failed: list[str] = []
    answered = 0
    body = {
        "query": """mutation ($id: ID!) {
            updateAudioFile(input: {id: $id, tags: ["a"]}) { errors { code } } }""",
        "variables": {"id": file_id},
    }

    async def ask(body: Mapping[str, object], connection: str) -> None:
        nonlocal answered
        async with httpx.AsyncClient(timeout=20) as http:
            while not ended.is_set():
                try:
                    answer = await http.post(
                        f"{site.server.url}/graphql", json=body, headers={"connection": connection}
                    )
                    if answer.status_code != 200 or "errors" in answer.json():
                        failed.append(answer.text)
                except httpx.TransportError as error:
                    failed.append(repr(error))
                answered += 1

    def restart_all() -> None:
        for api in site.apis:
            api.process.send_signal(signal.SIGTERM)
            assert api.process.wait(30) == -signal.SIGTERM
            before = api.answered
            api.start()
            # The next one when the proxy has noticed.
            until(lambda api=api, before=before: api.answered > before)

    async with asyncio.TaskGroup() as tasks:
        for each in (body, {"query": "{ viewer { id } }"}):
            for connection in ("keep-alive", "close"):
                tasks.create_task(ask(each, connection))
        try:
            await asyncio.to_thread(restart_all)
        finally:
            ended.set()
    assert failed == []
    assert answered > 100
