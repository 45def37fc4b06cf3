"""Webhooks over HTTP: the anonymous caller first, then the person, then another."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from samplemind.domain.ids import new_id, now
from samplemind.domain.webhook import Happening, WebhookEvent
from samplemind.jobs.deliveries import deliver
from samplemind.jobs.notify import tell
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.ids import decode_id
from tests.people import Person, open_to_many, opened, registered, served
from tests.receiver import Receiver, running_receiver

_WEBHOOK = "id url events enabled disabledReason createdAt"
_DELIVERY = "id messageId event status body attempts nextAttemptAt responseStatus error"
CREATE = f"""mutation ($url: String!, $events: [WebhookEvent!]!) {{
    createWebhook(input: {{url: $url, events: $events}}) {{
        webhook {{ {_WEBHOOK} }} secret errors {{ code field }} }} }}"""
UPDATE = f"""mutation ($input: UpdateWebhookInput!) {{ updateWebhook(input: $input) {{
    webhook {{ {_WEBHOOK} }} errors {{ code field }} }} }}"""
ROTATE = """mutation ($id: ID!) { rotateWebhookSecret(input: {id: $id}) {
    webhook { id } secret errors { code field } } }"""
DELETE = """mutation ($id: ID!) { deleteWebhook(input: {id: $id}) {
    deletedId errors { code field } } }"""
TEST = f"""mutation ($id: ID!) {{ testWebhook(input: {{id: $id}}) {{
    delivery {{ {_DELIVERY} }} errors {{ code field }} }} }}"""
AGAIN = f"""mutation ($id: ID!) {{ sendWebhookAgain(input: {{deliveryId: $id}}) {{
    delivery {{ {_DELIVERY} }} errors {{ code field }} }} }}"""
LIST = f"{{ viewer {{ webhooks {{ {_WEBHOOK} }} }} }}"
DELIVERIES = f"""query ($first: Int, $after: String, $status: DeliveryStatus) {{
    viewer {{ webhooks {{ deliveries(first: $first, after: $after, status: $status) {{
        edges {{ node {{ {_DELIVERY} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"""
URL = "https://93.184.216.34/hooks"


@pytest.fixture(scope="module")
def open_(settings: Settings) -> Settings:
    """To addresses of this machine, where the receivers are."""
    return open_to_many(settings, webhook_private_addresses=True, delivery_attempts=1)


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


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


async def _made(person: Person, url: str = URL) -> dict[str, Any]:
    made = await person.ask(CREATE, url=url, events=["AUDIO_FILE_DELETED"])
    assert made["createWebhook"]["errors"] == []
    return made["createWebhook"]


async def _sent(person: Person, parts: Parts, delivery: dict[str, Any]) -> dict[str, Any]:
    """As a worker sends it."""
    await deliver(parts, [decode_id(delivery["id"])[1]])
    return next(each for each in await _deliveries(person) if each["id"] == delivery["id"])


async def _deliveries(person: Person, **asked: Any) -> list[dict[str, Any]]:
    [webhook] = (await person.ask(DELIVERIES, **asked))["viewer"]["webhooks"]
    return [edge["node"] for edge in webhook["deliveries"]["edges"]]


class TestCreateWebhook:
    async def test_is_for_who_has_signed_in(self, http: httpx.AsyncClient):
        refused = await Person(http).refused(CREATE, url=URL, events=[])
        assert refused == (401, "UNAUTHENTICATED")

    async def test_is_not_for_keys(self, person: Person):
        by_key = await person.with_key()
        id_ = (await _made(person))["webhook"]["id"]
        for query in (CREATE, UPDATE, ROTATE, DELETE):
            given = {"url": URL, "events": [], "id": id_, "input": {"id": id_}}
            assert await by_key.refused(query, **given) == (403, "FORBIDDEN")
        assert (await by_key.ask(LIST))["viewer"]["webhooks"]

    async def test_tells_the_secret_once(self, person: Person):
        made = await _made(person)
        assert made["secret"].startswith("whsec_")
        assert made["webhook"]["url"] == URL
        assert made["webhook"]["events"] == ["AUDIO_FILE_DELETED"]
        assert (await person.ask(LIST))["viewer"]["webhooks"] == [made["webhook"]]
        assert made["secret"] not in (await person.post(DELIVERIES)).text

    async def test_says_what_is_wrong(self, person: Person):
        for url, events, field in (
            ("no", ["AUDIO_FILE_DELETED"], "url"),
            (URL, [], "events"),
            (URL, ["TEST"], "events"),
        ):
            made = (await person.ask(CREATE, url=url, events=events))["createWebhook"]
            assert made["errors"] == [{"code": "BAD_USER_INPUT", "field": ["input", field]}]
        assert (await person.ask(LIST))["viewer"]["webhooks"] == []

    async def test_is_done_ten_times(self, person: Person):
        for _ in range(10):
            await _made(person)
        made = (await person.ask(CREATE, url=URL, events=["AUDIO_FILE_DELETED"]))["createWebhook"]
        assert [error["code"] for error in made["errors"]] == ["TOO_MANY_WEBHOOKS"]

    async def test_is_noted(self, person: Person, parts: Parts):
        made = await _made(person)
        await person.ask(ROTATE, id=made["webhook"]["id"])
        await person.ask(DELETE, id=made["webhook"]["id"])
        noted = parts.store.audit_events._events.find({"user_id": decode_id(person.id)[1]})
        assert [row["action"] async for row in noted.sort("key")] == [
            "REGISTERED",
            "WEBHOOK_CREATED",
            "WEBHOOK_CHANGED",
            "WEBHOOK_DELETED",
        ]


async def test_nobody_is_led_inside_where_sign_in_is_required(settings: Settings) -> None:
    async for http in served(open_to_many(settings)):
        person = await registered(http)
        for url in ("http://93.184.216.34/", "https://127.0.0.1/", "https://localhost/"):
            made = await person.ask(CREATE, url=url, events=["AUDIO_FILE_DELETED"])
            errors = made["createWebhook"]["errors"]
            assert errors == [{"code": "BAD_USER_INPUT", "field": ["input", "url"]}]
            id_ = (await _made(person))["webhook"]["id"]
            changed = (await person.ask(UPDATE, input={"id": id_, "url": url}))["updateWebhook"]
            assert changed["errors"] == errors


class TestUpdateWebhook:
    async def test_changes_what_is_given(self, person: Person):
        before = (await _made(person))["webhook"]
        given = {"id": before["id"], "events": ["ANALYSIS_FINISHED"], "enabled": False}
        changed = (await person.ask(UPDATE, input=given))["updateWebhook"]
        assert changed == {"webhook": {**before, **given}, "errors": []}
        [listed] = (await person.ask(LIST))["viewer"]["webhooks"]
        assert listed == changed["webhook"]
        same = (await person.ask(UPDATE, input={"id": before["id"]}))["updateWebhook"]
        assert same == changed

    async def test_switches_on_what_was_switched_off(
        self, person: Person, parts: Parts, receiver: Receiver
    ):
        id_ = (await _made(person, receiver.url))["webhook"]["id"]
        receiver.answers = [410]
        await _sent(person, parts, (await person.ask(TEST, id=id_))["testWebhook"]["delivery"])
        [off] = (await person.ask(LIST))["viewer"]["webhooks"]
        assert (off["enabled"], off["disabledReason"]) == (False, "It answered 410 Gone.")
        refused = (await person.ask(TEST, id=id_))["testWebhook"]
        assert refused["errors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "id"]}]
        await person.ask(UPDATE, input={"id": id_, "enabled": True})
        [on] = (await person.ask(LIST))["viewer"]["webhooks"]
        assert (on["enabled"], on["disabledReason"]) == (True, None)

    async def test_gives_another_secret(self, person: Person, parts: Parts, receiver: Receiver):
        made = await _made(person, receiver.url)
        rotated = (await person.ask(ROTATE, id=made["webhook"]["id"]))["rotateWebhookSecret"]
        assert rotated["secret"] != made["secret"]
        tested = await person.ask(TEST, id=made["webhook"]["id"])
        await _sent(person, parts, tested["testWebhook"]["delivery"])
        assert receiver.got.get_nowait().verified(rotated["secret"])["type"] == "TEST"


class TestDeliveries:
    async def test_are_listed_the_newest_first_and_by_status(
        self, person: Person, parts: Parts, receiver: Receiver
    ):
        id_ = (await _made(person, receiver.url))["webhook"]["id"]
        receiver.answers = [500, 204]
        made = [(await person.ask(TEST, id=id_))["testWebhook"]["delivery"] for _ in range(3)]
        assert {(each["status"], each["attempts"]) for each in made} == {("PENDING", 0)}
        for each in made[:2]:
            await _sent(person, parts, each)
        listed = await _deliveries(person)
        assert [each["id"] for each in listed] == [each["id"] for each in made[::-1]]
        by_status = {
            status: [each["id"] for each in await _deliveries(person, status=status)]
            for status in ("PENDING", "DELIVERED", "DEAD_LETTERED")
        }
        assert by_status == {
            "PENDING": [made[2]["id"]],
            "DELIVERED": [made[1]["id"]],
            "DEAD_LETTERED": [made[0]["id"]],
        }

    async def test_are_paged(self, person: Person):
        id_ = (await _made(person))["webhook"]["id"]
        for _ in range(3):
            await person.ask(TEST, id=id_)
        all_ = [each["id"] for each in await _deliveries(person)]
        seen, after = [], None
        for has_next in (True, True, False):
            asked = await person.ask(DELIVERIES, first=1, after=after)
            page = asked["viewer"]["webhooks"][0]["deliveries"]
            seen += [edge["node"]["id"] for edge in page["edges"]]
            assert page["pageInfo"]["hasNextPage"] is has_next
            after = page["pageInfo"]["endCursor"]
        assert seen == all_

    async def test_that_were_given_up_are_sent_again(
        self, person: Person, parts: Parts, receiver: Receiver
    ):
        made = await _made(person, receiver.url)
        receiver.answers = [500]
        tested = (await person.ask(TEST, id=made["webhook"]["id"]))["testWebhook"]["delivery"]
        dead = await _sent(person, parts, tested)
        assert (dead["status"], dead["responseStatus"]) == ("DEAD_LETTERED", 500)
        assert (dead["error"], dead["nextAttemptAt"]) == ("It answered 500.", None)
        by_key = await person.with_key()
        again = (await by_key.ask(AGAIN, id=dead["id"]))["sendWebhookAgain"]["delivery"]
        assert (again["id"], again["status"], again["attempts"]) == (dead["id"], "PENDING", 0)
        sent = await _sent(person, parts, again)
        assert (sent["status"], sent["attempts"], sent["error"]) == ("DELIVERED", 1, None)
        first, second = receiver.got.get_nowait(), receiver.got.get_nowait()
        assert first.headers["webhook-id"] == second.headers["webhook-id"] == dead["messageId"]
        assert first.verified(made["secret"]) == second.verified(made["secret"])
        assert first.body.decode() == dead["body"]

    async def test_are_not_for_others(self, person: Person, http: httpx.AsyncClient):
        id_ = (await _made(person))["webhook"]["id"]
        delivery = (await person.ask(TEST, id=id_))["testWebhook"]["delivery"]
        other = await registered(http)
        refused = (await other.ask(AGAIN, id=delivery["id"]))["sendWebhookAgain"]
        assert refused["errors"] == [{"code": "NOT_FOUND", "field": ["input", "deliveryId"]}]
        assert (await other.ask(LIST))["viewer"]["webhooks"] == []
        for query, name in ((TEST, "testWebhook"), (DELETE, "deleteWebhook")):
            answer = (await other.ask(query, id=id_))[name]
            assert answer["errors"] == [{"code": "NOT_FOUND", "field": ["input", "id"]}]


async def test_of_a_deleted_webhook_nothing_is_left(person: Person, parts: Parts) -> None:
    id_ = (await _made(person))["webhook"]["id"]
    await person.ask(TEST, id=id_)
    deleted = (await person.ask(DELETE, id=id_))["deleteWebhook"]
    assert deleted == {"deletedId": id_, "errors": []}
    owner = {"owner_id": decode_id(person.id)[1]}
    assert await parts.store.deliveries._deliveries.count_documents(owner) == 0
    # Nor is it told of anything.
    event = WebhookEvent.AUDIO_FILE_DELETED
    await tell(parts, Happening(new_id(), owner["owner_id"], event, now(), {}))
    assert await parts.store.deliveries._deliveries.count_documents(owner) == 0


async def test_a_deleted_file_is_told_of(
    person: Person, parts: Parts, receiver: Receiver, sounds: list[Any]
) -> None:
    made = await _made(person, receiver.url)
    file = (await person.upload(sounds[0].read_bytes(), "kick.flac"))["audioFile"]
    await person.ask(
        "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { deletedId } }", id=file["id"]
    )
    [delivery] = await _deliveries(person)
    await _sent(person, parts, delivery)
    told = receiver.got.get_nowait().verified(made["secret"])
    assert told["type"] == "AUDIO_FILE_DELETED"
    assert told["data"] == {"id": file["id"], "filename": "kick.flac"}
