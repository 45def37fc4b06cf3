"""API keys over HTTP: the anonymous caller first, then the person, then another."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from samplemind.auth.api_keys import digest
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import decode_id
from tests.people import (
    CREATE_KEY,
    LOG_OUT,
    REVOKE_KEY,
    Person,
    open_to_many,
    opened,
    registered,
    served,
)

LIST = "{ viewer { apiKeys { id name prefix createdAt lastUsedAt } } }"
COUNT = "{ audioFiles { totalCount } }"


@pytest.fixture(scope="module")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    async for parts in opened(open_to_many(settings)):
        yield parts


@pytest.fixture(scope="module")
async def http(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(open_to_many(settings)):
        await registered(client)
        yield client


@pytest.fixture
async def person(http: httpx.AsyncClient) -> Person:
    return await registered(http)


async def keys_of(person: Person) -> list[dict]:
    return (await person.ask(LIST))["viewer"]["apiKeys"]


class TestCreateApiKey:
    async def test_is_for_who_has_signed_in(self, http: httpx.AsyncClient):
        assert await Person(http).refused(CREATE_KEY, name="x") == (401, "UNAUTHENTICATED")

    async def test_tells_the_secret_once_and_stores_its_hash(self, person: Person, parts: Parts):
        made = (await person.ask(CREATE_KEY, name=" my  script "))["createApiKey"]
        secret, key = made["secret"], made["apiKey"]
        assert (key["name"], key["lastUsedAt"]) == ("my script", None)
        assert secret.startswith(key["prefix"])
        assert len(secret) > len(key["prefix"]) + 32
        [listed] = await keys_of(person)
        assert listed["prefix"] == key["prefix"]
        [document] = await parts.store.api_keys._keys.find({"name": "my script"}).to_list(None)
        assert document["hash"] == digest(secret)
        assert secret not in str(document)

    async def test_is_not_for_keys(self, person: Person):
        by_key = await person.with_key()
        assert await by_key.refused(CREATE_KEY, name="x") == (403, "FORBIDDEN")
        assert await by_key.refused(REVOKE_KEY, id="x") == (403, "FORBIDDEN")
        assert await by_key.refused(LOG_OUT) == (403, "FORBIDDEN")

    @pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\x00b"])
    async def test_says_what_is_wrong(self, person: Person, name: str):
        made = (await person.ask(CREATE_KEY, name=name))["createApiKey"]
        assert made["errors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "name"]}]

    async def test_is_done_fifty_times(self, person: Person):
        for number in range(50):
            made = (await person.ask(CREATE_KEY, name=str(number)))["createApiKey"]
            assert made["errors"] == []
        made = (await person.ask(CREATE_KEY, name="more"))["createApiKey"]
        assert [error["code"] for error in made["errors"]] == ["TOO_MANY_API_KEYS"]


class TestUse:
    async def test_signs_in(self, person: Person):
        by_key = await person.with_key()
        assert (await by_key.ask("{ viewer { id } }"))["viewer"]["id"] == person.id

    @pytest.mark.parametrize("wrong", ["smk_", "smk_" + "x" * 43, "smk_ü"])
    async def test_of_what_is_none_is_refused(self, http: httpx.AsyncClient, wrong: str):
        headers = {"authorization": f"Bearer {wrong}".encode()}
        body = {"query": COUNT}
        answer = await http.post("/graphql", json=body, headers=headers)  # pyright: ignore
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

    async def test_is_noted(self, person: Person):
        by_key = await person.with_key()
        await by_key.ask(COUNT)
        async with asyncio.timeout(10):
            while not (key := (await keys_of(person))[0])["lastUsedAt"]:
                pass
        assert key["lastUsedAt"] >= key["createdAt"]

    async def test_is_seen_by_its_owner_alone(self, person: Person, http: httpx.AsyncClient):
        await person.with_key()
        assert len(await keys_of(person)) == 1
        assert await keys_of(await registered(http)) == []


class TestRevokeApiKey:
    async def test_is_for_who_has_signed_in(self, http: httpx.AsyncClient):
        assert await Person(http).refused(REVOKE_KEY, id="x") == (401, "UNAUTHENTICATED")

    async def test_lets_nobody_in_any_more(self, person: Person, settings: Settings):
        by_key = await person.with_key()
        async for elsewhere in served(open_to_many(settings)):
            there = replace(by_key, http=elsewhere)
            await there.ask(COUNT)
            await by_key.ask(COUNT)
            gone = (await person.ask(REVOKE_KEY, id=by_key.ids["key"]))["revokeApiKey"]
            assert gone == {"apiKey": {"id": by_key.ids["key"]}, "errors": []}
            assert await by_key.refused(COUNT) == (401, "UNAUTHENTICATED")
            async with asyncio.timeout(5):
                while "errors" not in (await there.post(COUNT)).json():
                    pass
        assert await keys_of(person) == []

    async def test_is_not_for_others(self, person: Person, http: httpx.AsyncClient):
        by_key = await person.with_key()
        other = await registered(http)
        gone = (await other.ask(REVOKE_KEY, id=by_key.ids["key"]))["revokeApiKey"]
        assert gone["errors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]
        assert (await by_key.ask("{ viewer { id } }"))["viewer"]["id"] == person.id


async def test_no_secret_stands_in_a_log_or_in_an_audit(
    http: httpx.AsyncClient, parts: Parts, capfd: pytest.CaptureFixture[str]
) -> None:
    person = await registered(http)
    by_key = await person.with_key()
    await by_key.post("{ nothing }")
    await http.get("/graphql", headers=person.headers, params={"query": "{ viewer { id } }"})
    logged = "".join(capfd.readouterr())
    assert "request" in logged
    _, user_id = decode_id(person.id)
    noted = await parts.store.audit_events._events.find({"user_id": user_id}).to_list(None)
    assert noted
    for secret in (person.bearer, person.refresh_token, by_key.bearer, "correct horse battery"):
        assert secret not in logged
        assert secret not in str(noted)
