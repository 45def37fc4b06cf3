"""A server that many share, as a user starts it: commands, live updates, and what ends them."""

import asyncio
import contextlib
import json
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from tests.cli.commands import environment, samplemind
from tests.people import (
    CREATE_KEY,
    LOG_IN,
    LOG_OUT,
    PASSWORD,
    REVOKE_KEY,
    Person,
    registered,
)
from tests.server import HTTP, SAMPLEMIND, UPLOAD, Server, running_server

ANOTHER = "another" * 2
ADMIN = "admin@example.org"
WATCH = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id } }"
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sounds: list[Path]) -> Iterator[Server]:
    """With sign-in, whose first account is that of ADMIN."""
    folder = tmp_path_factory.mktemp("shared")
    env = {"SAMPLEMIND_AUTH_REQUIRED": "true", "SAMPLEMIND_ATTEMPTS_PER_ADDRESS": "10000"}
    with running_server(folder, sounds, **env) as server:
        operate(server, "create-admin", ADMIN, "--username", "Operator")
        yield server


@pytest.fixture
async def http(shared: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shared.url, timeout=60) as http:
        yield http


@pytest.fixture
async def person(http: httpx.AsyncClient) -> Person:
    return await registered(http)


def operate(server: Server, *command: str, typed: str = PASSWORD) -> str:
    """What an operator's command says, on the server's data directory."""
    done = subprocess.run(
        [SAMPLEMIND, *command],
        env=environment(SAMPLEMIND_DATA_DIR=str(server.data_dir)),
        input=f"{typed}\n",
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    return f"{done.returncode} {done.stdout}{done.stderr}"


async def log_in(http: httpx.AsyncClient, email: str, password: str = PASSWORD) -> Person:
    found = await Person(http).ask(LOG_IN, input={"email": email, "password": password})
    assert found["logIn"]["errors"] == []
    return Person(http, found["logIn"]["accessToken"], email=email)


@asynccontextmanager
async def socket(server: Server, payload: Any = None) -> AsyncIterator[Any]:
    """A WebSocket whose first message has been sent."""
    address = server.url.replace("http", "ws") + "/graphql"
    async with websockets.connect(address, subprotocols=[PROTOCOL]) as opened:
        await opened.send(json.dumps({"type": "connection_init", "payload": payload}))
        yield opened


async def ask(opened: Any, query: str, **variables: Any) -> dict[str, Any]:
    operation = {"query": query, "variables": variables}
    await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": operation}))
    return json.loads(await opened.recv())


async def closed(opened: Any) -> tuple[int, str]:
    """Waits for the server to close it: code and reason."""
    with contextlib.suppress(websockets.ConnectionClosed):
        async with asyncio.timeout(30):
            async for _ in opened:
                pass
    return opened.close_code, opened.close_reason


async def uploaded(person: Person, server: Server) -> str:
    """The id of a sound of the person's."""
    return (await person.upload(server.sounds[0].read_bytes(), "kick.flac"))["audioFile"]["id"]


class TestSecret:
    def test_is_made_once_for_its_owner_alone(self, shared: Server):
        path = shared.data_dir / "secret"
        assert len(path.read_text()) == 64
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        addresses = shared.data_dir / "run" / "addresses"
        assert stat.S_IMODE(addresses.stat().st_mode) == 0o600


class TestOperator:
    async def test_makes_admins(self, shared: Server, http: httpx.AsyncClient):
        admin = await log_in(http, ADMIN)
        viewer = (await admin.ask("{ viewer { username role } }"))["viewer"]
        assert viewer == {"username": "Operator", "role": "ADMIN"}
        assert operate(shared, "create-admin", ADMIN).startswith("1 EMAIL_TAKEN")

    async def test_sets_passwords_and_ends_sessions(
        self, shared: Server, http: httpx.AsyncClient, person: Person
    ):
        said = operate(shared, "set-password", person.email, typed=ANOTHER)
        assert said.startswith("0 ")
        async with asyncio.timeout(10):
            while (await person.post("{ audioFiles { totalCount } }")).status_code != 401:
                pass
        assert await log_in(http, person.email, ANOTHER)
        assert operate(shared, "set-password", "nobody@example.org").startswith("1 NOT_FOUND")

    def test_needs_a_running_server(self, tmp_path: Path):
        done = samplemind("set-password", ADMIN, SAMPLEMIND_DATA_DIR=str(tmp_path))
        assert done.returncode == 1
        assert "SAMPLEMIND_MONGO_URL" in done.stderr
        assert "Traceback" not in done.stderr


class TestCommands:
    async def test_import_needs_a_key_and_takes_one(
        self, shared: Server, person: Person, tmp_path: Path
    ):
        asked = ("import", str(shared.sounds[0]), "--url", shared.url)
        refused = samplemind(*asked)
        assert refused.returncode == 1
        assert "UNAUTHENTICATED" in refused.stderr
        assert "--api-key" in refused.stderr
        secret = (await person.ask(CREATE_KEY, name="import"))["createApiKey"]["secret"]
        done = await asyncio.to_thread(samplemind, *asked, SAMPLEMIND_API_KEY=secret)
        assert done.returncode == 0, done.stderr
        assert "1 uploaded" in done.stdout
        assert "1 analysed" in done.stdout
        count = "{ audioFiles(filter: {analyzed: true}) { totalCount } }"
        assert (await person.ask(count))["audioFiles"]["totalCount"] == 1

    async def test_doctor_tells_versions_to_an_admin(
        self, shared: Server, http: httpx.AsyncClient, person: Person
    ):
        admin = await log_in(http, ADMIN)
        for asker, tells in ((None, False), (person, False), (admin, True)):
            key = asker and (await asker.ask(CREATE_KEY, name="doctor"))["createApiKey"]["secret"]
            given = ("--api-key", key) if key else ()
            done = samplemind("doctor", "--json", "--url", shared.url, *given)
            checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
            assert checks["documents"]["status"] == "up"
            assert (checks["documents"]["version"] is not None) is tells


class TestUpload:
    def test_of_nobody_is_refused_before_it_is_read(self, shared: Server):
        operations = {"query": UPLOAD, "variables": {"file": None}}
        answer = HTTP.post(
            f"{shared.url}/graphql",
            data={"operations": json.dumps(operations), "map": '{"0": ["variables.file"]}'},
            files={"0": ("kick.wav", bytes(10_000_000))},
            headers={"apollo-require-preflight": "true"},
        )
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


class TestWebSocket:
    async def test_anonymous_may_do_what_anyone_may(self, shared: Server):
        async with socket(shared) as opened:
            assert json.loads(await opened.recv()) == {"type": "connection_ack"}
            answer = await ask(opened, "{ audioFiles { totalCount } }")
            assert answer["type"] == "error"
            assert answer["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    @pytest.mark.parametrize("name", ["authorization", "Authorization"])
    @pytest.mark.parametrize("kind", ["token", "key"])
    async def test_takes_both_kinds_in_its_first_message(
        self, shared: Server, person: Person, name: str, kind: str
    ):
        who = await person.with_key() if kind == "key" else person
        async with socket(shared, {name: f"Bearer {who.bearer}"}) as opened:
            assert json.loads(await opened.recv()) == {"type": "connection_ack"}
            answer = await ask(opened, "{ viewer { id } }")
            assert answer["payload"]["data"] == {"viewer": {"id": person.id}}

    @pytest.mark.parametrize(
        "payload", [{"authorization": "Bearer x"}, {"Authorization": "Bearer smk_x"}]
    )
    async def test_is_closed_for_what_is_none(self, shared: Server, payload: dict[str, str]):
        async with socket(shared, payload) as opened:
            code, reason = await closed(opened)
        assert code == 4403
        assert reason.startswith("UNAUTHENTICATED")

    @pytest.mark.parametrize("how", ["logOut", "revokeApiKey"])
    async def test_ends_with_its_session_or_key(self, shared: Server, person: Person, how: str):
        file_id = await uploaded(person, shared)
        by_key = await person.with_key()
        who = by_key if how == "revokeApiKey" else person
        async with socket(shared, {"authorization": f"Bearer {who.bearer}"}) as opened:
            await opened.recv()
            operation = {"query": WATCH, "variables": {"id": file_id}}
            await opened.send(json.dumps({"id": "1", "type": "subscribe", "payload": operation}))
            if how == "logOut":
                await person.ask(LOG_OUT)
            else:
                gone = await person.ask(REVOKE_KEY, id=by_key.ids["key"])
                assert gone["revokeApiKey"]["errors"] == []
            assert await closed(opened) == (
                4403,
                "UNAUTHENTICATED: Your session or key has ended: sign in again.",
            )

    async def test_of_others_goes_on(self, shared: Server, person: Person, http: httpx.AsyncClient):
        other = await registered(http)
        async with socket(shared, {"authorization": f"Bearer {other.bearer}"}) as opened:
            await opened.recv()
            await person.ask(LOG_OUT)
            answer = await ask(opened, "{ viewer { id } }")
            assert answer["payload"]["data"] == {"viewer": {"id": other.id}}


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
async def test_a_stream_ends_with_its_session(shared: Server, person: Person, accept: str) -> None:
    file_id = await uploaded(person, shared)
    body = {"query": WATCH, "variables": {"id": file_id}}
    headers = {**person.headers, "accept": accept}
    async with person.http.stream("POST", "/graphql", json=body, headers=headers) as answer:
        chunks = answer.aiter_text()
        await anext(chunks)
        await person.ask(LOG_OUT)
        async with asyncio.timeout(30):
            rest = "".join([chunk async for chunk in chunks])
    assert "UNAUTHENTICATED" in rest
    assert rest.rstrip().endswith("--" if "multipart" in accept else "data:")
