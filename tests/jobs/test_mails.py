"""Mails against a real mail server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from samplemind.domain.analysis import AnalysisStatus
from samplemind.domain.delivery import EMAIL, Delivery, DeliveryStatus
from samplemind.domain.ids import global_id, now
from samplemind.domain.paging import Window
from samplemind.domain.user import User
from samplemind.jobs.deliveries import deliver
from samplemind.jobs.notify import MOST_MAILS
from samplemind.jobs.progress import tell_batch_moved
from samplemind.parts import Parts
from samplemind.settings import Settings
from tests.domain.models import batch_job, user
from tests.mail_server import NAME, PASSWORD, Mails, certificate, running_mail_server


@pytest.fixture(scope="module")
def mail_server() -> Iterator[Mails]:
    with running_mail_server() as mails:
        yield mails


@pytest.fixture
def mails(mail_server: Mails) -> Mails:
    mail_server.answers, mail_server.got, mail_server.recipients = [], [], []
    return mail_server


@pytest.fixture(scope="module")
async def parts(settings: Settings, mail_server: Mails) -> AsyncIterator[Parts]:
    changed = {
        "smtp_url": mail_server.url,
        "mail_from": "SampleMind <sounds@example.org>",
        "public_url": "https://sounds.example.org",
        "delivery_wait_seconds": 0.001,
        "delivery_attempts": 3,
    }
    parts = Parts.open(settings.model_copy(update=changed))
    yield parts
    await parts.close()


@pytest.fixture
async def ada(parts: Parts, owner_id: str) -> User:
    """Who wants mail."""
    ada = replace(user(owner_id), username="Ada", email_notifications=True)
    await parts.store.users.ensure(ada)
    return ada


async def _batch_ends(parts: Parts, owner: User, *, failed: int = 0) -> list[Delivery]:
    """A batch of three; the mails of the owner then."""
    batch = batch_job(owner.id, 3)
    await parts.store.batch_jobs.add(batch)
    queued = AnalysisStatus.QUEUED
    if failed:
        await tell_batch_moved(parts, batch.id, 0, queued, AnalysisStatus.FAILED, failed)
    await tell_batch_moved(parts, batch.id, 0, queued, AnalysisStatus.SUCCEEDED, 3 - failed)
    store = parts.store.deliveries
    [page] = await store.pages(owner.id, [EMAIL], Window(50), None)
    return [row.value for row in page.rows]


async def _until_its_end(parts: Parts, delivery: Delivery) -> Delivery:
    async with asyncio.timeout(10):
        while True:
            await deliver(parts, [delivery.id])
            found = await parts.store.deliveries.by_id(delivery.owner_id, delivery.id)
            assert found
            if found.status is not DeliveryStatus.PENDING:
                return found


async def test_tells_how_a_batch_has_ended(parts: Parts, ada: User, mails: Mails) -> None:
    [delivery] = await _batch_ends(parts, ada, failed=1)
    sent = await _until_its_end(parts, delivery)
    assert (sent.status, sent.attempts) == ("DELIVERED", 1)
    [mail] = mails.got
    assert mails.recipients == [ada.email]
    assert mail["to"] == ada.email
    assert mail["from"] == "SampleMind <sounds@example.org>"
    assert mail["subject"] == "Batch job of 3 files: some of them failed"
    assert mail["message-id"] == f"<{delivery.id}@example.org>"
    assert mail["auto-submitted"] == "auto-generated"
    assert mail["list-unsubscribe"] == "<mailto:sounds@example.org?subject=unsubscribe>"
    assert mail["date"]
    text = mail.get_content().replace("\r\n", "\n")
    assert "Hello Ada," in text
    assert "        2 completed\n        1 failed\n        0 cancelled\n" in text
    assert "https://sounds.example.org/graphql" in text
    [batch] = (await parts.store.batch_jobs.page(ada.id, Window(1))).rows
    assert global_id("BatchJob", batch.value.id) in text
    assert "emailNotifications: false" in text


async def test_is_sent_again_where_the_server_is_busy(
    parts: Parts, ada: User, mails: Mails
) -> None:
    mails.answers = ["451 later", "421 busy"]
    [delivery] = await _batch_ends(parts, ada)
    sent = await _until_its_end(parts, delivery)
    assert (sent.status, sent.attempts, sent.error) == ("DELIVERED", 3, None)
    assert len(mails.got) == 1


async def test_is_not_sent_again_where_the_address_is_refused(
    parts: Parts, ada: User, mails: Mails
) -> None:
    mails.answers = ["550 nobody"]
    [delivery] = await _batch_ends(parts, ada)
    sent = await _until_its_end(parts, delivery)
    assert (sent.status, sent.attempts) == ("DEAD_LETTERED", 1)
    assert sent.error == "The mail server answered 550: nobody"


async def test_is_given_up_where_there_is_no_server(parts: Parts, ada: User) -> None:
    [delivery] = await _batch_ends(parts, ada)
    nowhere = parts.settings.model_copy(update={"smtp_url": "smtp://127.0.0.1:1"})
    sent = await _until_its_end(replace(parts, settings=nowhere), delivery)
    assert (sent.status, sent.attempts) == ("DEAD_LETTERED", 3)
    assert (sent.error or "").startswith("The mail server cannot be spoken with: ")


class TestIsNotSent:
    async def test_to_who_did_not_ask(self, parts: Parts, owner_id: str):
        somebody = await parts.store.users.ensure(user(owner_id))
        assert not somebody.email_notifications
        assert await _batch_ends(parts, somebody) == []

    async def test_to_who_has_no_address(self, parts: Parts, ada: User, owner_id: str):
        nameless = {"$set": {"email": None}}
        await parts.store.users._users.update_one({"_id": owner_id}, nameless)
        assert await _batch_ends(parts, ada) == []

    async def test_where_there_is_no_server(self, parts: Parts, ada: User):
        changed = {"smtp_url": ""}
        without = replace(parts, settings=parts.settings.model_copy(update=changed))
        assert await _batch_ends(without, ada) == []

    async def test_to_who_wants_none_any_more(self, parts: Parts, ada: User, mails: Mails):
        [delivery] = await _batch_ends(parts, ada)
        await parts.store.users.set_email_notifications(ada.id, False)
        assert (await _until_its_end(parts, delivery)).status == "DEAD_LETTERED"
        assert mails.got == []

    async def test_more_than_some_in_a_day(self, parts: Parts, ada: User):
        made = []
        for _ in range(MOST_MAILS + 2):
            made = await _batch_ends(parts, ada)
        assert len(made) == MOST_MAILS
        yesterday = now() - timedelta(days=1, minutes=1)
        store = parts.store.deliveries
        assert await store.count_since(ada.id, EMAIL, f"{int(yesterday.timestamp() * 1e6):014x}")


@pytest.mark.parametrize(
    "email",
    ["a,b@example.org", '"x" <b@example.org>', "a@b@example.org", "a\r\nBcc:b@example.org", "ü@"],
)
async def test_no_address_leads_to_another(
    parts: Parts, owner_id: str, mails: Mails, email: str
) -> None:
    odd = replace(user(owner_id), email=email, email_notifications=True)
    await parts.store.users.ensure(odd)
    [delivery] = await _batch_ends(parts, odd)
    sent = await _until_its_end(parts, delivery)
    assert (sent.status, sent.attempts) == ("DEAD_LETTERED", 1)
    assert mails.got == []


async def test_a_name_makes_no_header(parts: Parts, ada: User, mails: Mails) -> None:
    name = {"$set": {"username": "Ada\nBcc: eve@example.org\n\nHello"}}
    await parts.store.users._users.update_one({"_id": ada.id}, name)
    [delivery] = await _batch_ends(parts, ada)
    assert (await _until_its_end(parts, delivery)).status == "DELIVERED"
    [mail] = mails.got
    assert mail["bcc"] is None
    assert mails.recipients == [ada.email]


async def test_a_password_goes_by_starttls_alone(
    parts: Parts, ada: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path)
    with running_mail_server(context) as closed, running_mail_server() as plain:
        name = f"{NAME}:{quote(PASSWORD)}@localhost"
        urls = {
            "right": closed.url.replace("127.0.0.1", name),
            "wrong": closed.url.replace("127.0.0.1", f"{NAME}:no@localhost"),
            "plain": plain.url.replace("127.0.0.1", name),
        }
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        said = {}
        for which, url in urls.items():
            changed = parts.settings.model_copy(update={"smtp_url": url, "delivery_attempts": 1})
            by_it = replace(parts, settings=changed)
            delivery = (await _batch_ends(by_it, ada))[0]
            sent = await _until_its_end(by_it, delivery)
            said[which] = (sent.status.value, sent.error)
        assert said["right"] == ("DELIVERED", None)
        assert said["wrong"][0] == "DEAD_LETTERED"
        assert "535" in (said["wrong"][1] or "")
        assert said["plain"][0] == "DEAD_LETTERED"
        assert "STARTTLS" in (said["plain"][1] or "")
        assert (len(closed.got), len(plain.got)) == (1, 0)
