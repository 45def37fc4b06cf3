"""People of a server, and a small client for the tests that sign in."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from samplemind.server.app import make_app
from samplemind.settings import Settings

PASSWORD = "correct horse battery"  # noqa: S105 - nobody's

REGISTER = """mutation ($input: RegisterUserInput!) { registerUser(input: $input) {
    accessToken refreshToken expiresAt user { id username email role } errors { code field } } }"""
LOG_IN = """mutation ($input: LogInInput!) { logIn(input: $input) {
    accessToken refreshToken user { id } errors { code message field } } }"""
REFRESH = """mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) {
    accessToken refreshToken user { id } errors { code message field } } }"""
LOG_OUT = "mutation { logOut { errors { code } } }"
CREATE_KEY = """mutation ($name: String!) { createApiKey(input: {name: $name}) {
    apiKey { id name prefix lastUsedAt } secret errors { code field } } }"""
REVOKE_KEY = """mutation ($id: ID!) { revokeApiKey(input: {id: $id}) {
    apiKey { id } errors { code field } } }"""

# As the newer clients ask, so that statuses tell.
_HEADERS = {"accept": "application/graphql-response+json"}


@dataclass
class Person:
    """Somebody who asks: anonymous, or by a token or key."""

    http: httpx.AsyncClient
    bearer: str = ""
    refresh_token: str = ""
    id: str = ""
    email: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    """What is theirs, by name."""

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.bearer}"} if self.bearer else {}

    async def post(self, query: str, **variables: Any) -> httpx.Response:
        body = {"query": query, "variables": variables}
        return await self.http.post("/graphql", json=body, headers=_HEADERS | self.headers)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data; fails on any error."""
        answer = (await self.post(query, **variables)).json()
        assert "errors" not in answer, answer
        return answer["data"]

    async def refused(self, query: str, **variables: Any) -> tuple[int, str]:
        """The status and the code of the first error; fails where there is none."""
        answer = await self.post(query, **variables)
        return answer.status_code, answer.json()["errors"][0]["extensions"]["code"]

    async def upload(self, content: bytes, filename: str = "sound.wav") -> dict[str, Any]:
        """The payload of uploadAudio."""
        query = """mutation ($file: Upload!) { uploadAudio(input: {file: $file}) {
            audioFile { id url } errors { code message } } }"""
        operations = {"query": query, "variables": {"file": None}}
        answer = await self.http.post(
            "/graphql",
            data={"operations": json.dumps(operations), "map": '{"0": ["variables.file"]}'},
            files={"0": (filename, content)},
            headers={"apollo-require-preflight": "true", **self.headers},
        )
        return answer.json()["data"]["uploadAudio"]

    async def with_key(self) -> "Person":
        """The same person by a new API key."""
        made = (await self.ask(CREATE_KEY, name="a test's"))["createApiKey"]
        by_key = Person(self.http, made["secret"], id=self.id, email=self.email)
        by_key.ids["key"] = made["apiKey"]["id"]
        return by_key


async def registered(http: httpx.AsyncClient) -> Person:
    """A new account of its own, signed in."""
    email = f"{new_id()}@example.org"
    asked = {"email": email, "username": "Ada", "password": PASSWORD}
    made = (await Person(http).ask(REGISTER, input=asked))["registerUser"]
    assert made["errors"] == []
    id_ = made["user"]["id"]
    return Person(http, made["accessToken"], made["refreshToken"], id_, email)


def open_to_many(settings: Settings, **changed: Any) -> Settings:
    """With sign-in, and limits that tests do not meet by accident; on documents of its own, since
    the first account takes the local user's place."""
    given = {
        "auth_required": True,
        "secret": "test" * 16,
        "mongo_url": settings.mongo_url.replace("/samplemind", "/people"),
        "attempts_per_address": 100_000,
        "attempts_per_account": 1_000,
        "webhook_private_addresses": False,
    }
    return settings.model_copy(update={**given, **changed})


async def opened(settings: Settings) -> AsyncIterator[Parts]:
    """The parts that `served` stands on."""
    parts = Parts.open(settings)
    await parts.store.prepare()
    yield parts
    await parts.close()


async def served(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application in this process."""
    app = make_app(settings)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=60) as client,
    ):
        yield client
