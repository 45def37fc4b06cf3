"""updateAccount over HTTP: the anonymous caller first."""

from collections.abc import AsyncIterator

import httpx
import pytest

from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import decode_id
from tests.people import Person, open_to_many, opened, registered, served

UPDATE = """mutation ($wanted: Boolean) { updateAccount(input: {emailNotifications: $wanted}) {
    user { emailNotifications } errors { code field } } }"""
WANTED = "{ viewer { emailNotifications } }"
_REFUSED = [{"code": "BAD_USER_INPUT", "field": ["input", "emailNotifications"]}]


@pytest.fixture(scope="module")
def open_(settings: Settings) -> Settings:
    """Whose mail server nobody asks anything here."""
    sender = {"smtp_url": "smtp://127.0.0.1:1", "mail_from": "sounds@example.org"}
    return open_to_many(settings, **sender)


@pytest.fixture(scope="module")
async def parts(open_: Settings) -> AsyncIterator[Parts]:
    async for parts in opened(open_):
        yield parts


@pytest.fixture(scope="module")
async def http(open_: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async for client in served(open_):
        await registered(client)
        yield client


@pytest.fixture
async def person(http: httpx.AsyncClient) -> Person:
    return await registered(http)


async def test_is_for_who_has_signed_in(http: httpx.AsyncClient, person: Person) -> None:
    assert await Person(http).refused(UPDATE, wanted=True) == (401, "UNAUTHENTICATED")
    assert await (await person.with_key()).refused(UPDATE, wanted=True) == (403, "FORBIDDEN")


async def test_changes_whether_mail_is_wanted(person: Person) -> None:
    assert (await person.ask(WANTED))["viewer"] == {"emailNotifications": False}
    for wanted, then in ((True, True), (None, True), (False, False)):
        changed = (await person.ask(UPDATE, wanted=wanted))["updateAccount"]
        assert changed == {"user": {"emailNotifications": then}, "errors": []}
        assert (await person.ask(WANTED))["viewer"] == {"emailNotifications": then}


async def test_says_so_where_no_mail_can_be_sent(
    settings: Settings, person: Person, parts: Parts
) -> None:
    async for http in served(open_to_many(settings)):
        elsewhere = Person(http, person.bearer)
        refused = (await elsewhere.ask(UPDATE, wanted=True))["updateAccount"]
        assert refused == {"user": None, "errors": _REFUSED}
        assert (await elsewhere.ask(UPDATE, wanted=False))["updateAccount"]["errors"] == []
    _, id_ = decode_id(person.id)
    odd = {"$set": {"email": "a,b@example.org"}}
    await parts.store.users._users.update_one({"_id": id_}, odd)
    assert (await person.ask(UPDATE, wanted=True))["updateAccount"]["errors"] == _REFUSED
