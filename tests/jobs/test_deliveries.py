"""Webhooks against a real receiver: what arrives, what is sent again, what is given up."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import WebhookVerificationError

from samplemind import metrics
from samplemind.domain.analysis import AnalysisStatus, Failure, Lane
from samplemind.domain.delivery import Delivery, DeliveryStatus
from samplemind.domain.ids import global_id, new_id, now
from samplemind.domain.paging import Window
from samplemind.domain.webhook import Happening, Webhook, WebhookEvent
from samplemind.jobs.deliveries import deliver, forget_old_deliveries
from samplemind.jobs.notify import tell, tell_of_analysis, tell_of_batch
from samplemind.jobs.progress import tell_batch_moved, tell_moved
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.webhooks import new_secret
from tests.certificate import certificate
from tests.domain.models import analysis, batch_job
from tests.receiver import CLOSES, NEVER, Receiver, running_receiver

ALL = (
    WebhookEvent.BATCH_JOB_FINISHED,
    WebhookEvent.ANALYSIS_FINISHED,
    WebhookEvent.AUDIO_FILE_DELETED,
)


@pytest.fixture(scope="module")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """On documents of their own: what is due is everybody's. The waits are short."""
    changed = {
        "mongo_url": settings.mongo_url.replace("/samplemind", "/deliveries"),
        "delivery_wait_seconds": 0.001,
        "delivery_attempts": 4,
        "delivery_timeout_seconds": 1,
    }
    parts = Parts.open(settings.model_copy(update=changed))
    await parts.store.prepare()
    yield parts
    await parts.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as receiver:
        yield receiver


@pytest.fixture
async def webhook(parts: Parts, owner_id: str, receiver: Receiver) -> Webhook:
    return await _made(parts, owner_id, receiver.url)


async def _made(parts: Parts, owner_id: str, url: str) -> Webhook:
    webhook = Webhook(new_id(), owner_id, f"{url}/hook?a=1", ALL, new_secret(), now(), private=True)
    await parts.store.webhooks.add(webhook)
    return webhook


async def _happens(parts: Parts, webhook: Webhook, id_: str = "") -> Delivery:
    """Something, and the delivery that tells of it."""
    event = WebhookEvent.AUDIO_FILE_DELETED
    await tell(parts, Happening(id_ or new_id(), webhook.owner_id, event, now(), {"a": "ü"}))
    return (await _deliveries(parts, webhook))[0]


async def _deliveries(parts: Parts, webhook: Webhook) -> list[Delivery]:
    """The newest first."""
    store = parts.store.deliveries
    [page] = await store.pages(webhook.owner_id, [webhook.id], Window(50), None)
    return [row.value for row in page.rows]


async def _until_its_end(parts: Parts, delivery: Delivery) -> Delivery:
    """As workers do that look again and again."""
    async with asyncio.timeout(10):
        while True:
            await deliver(parts, [delivery.id])
            found = await parts.store.deliveries.by_id(delivery.owner_id, delivery.id)
            assert found
            if found.status is not DeliveryStatus.PENDING:
                return found


async def _reread(parts: Parts, webhook: Webhook) -> Webhook:
    [found] = await parts.store.webhooks.by_ids(webhook.owner_id, [webhook.id])
    assert found
    return found


class TestDelivery:
    async def test_is_signed_as_the_standard_says(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        sent = await _until_its_end(parts, await _happens(parts, webhook))
        assert (sent.status, sent.attempts, sent.response_status) == ("DELIVERED", 1, 204)
        assert (sent.due_at, sent.error) == (None, None)
        got = receiver.got.get_nowait()
        told = got.verified(webhook.secret)
        assert set(told) == {"type", "timestamp", "data"}
        assert (told["type"], told["data"]) == ("AUDIO_FILE_DELETED", {"a": "ü"})
        assert got.path == "/hook?a=1"
        assert got.headers["Host"] == receiver.url.removeprefix("http://")
        assert got.headers["webhook-id"] == sent.id
        with pytest.raises(WebhookVerificationError):
            got.verified(new_secret())
        with pytest.raises(WebhookVerificationError):
            replace(got, body=got.body + b" ").verified(webhook.secret)

    async def test_is_sent_again_until_it_arrives(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        receiver.answers = [500, CLOSES, 503]
        sent = await _until_its_end(parts, await _happens(parts, webhook))
        assert (sent.status, sent.attempts, sent.error) == ("DELIVERED", 4, None)
        got = [receiver.got.get_nowait() for _ in range(4)]
        assert len({each.headers["webhook-id"] for each in got}) == 1
        assert len({each.body for each in got}) == 1
        for each in got:
            each.verified(webhook.secret)
        assert receiver.got.empty()

    async def test_is_given_up_after_the_last_attempt(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        [before] = metrics.webhook_dead_letters.collect()
        receiver.answers = [500] * 9
        sent = await _until_its_end(parts, await _happens(parts, webhook))
        assert (sent.status, sent.attempts, sent.response_status) == ("DEAD_LETTERED", 4, 500)
        [after] = metrics.webhook_dead_letters.collect()
        assert after.samples[0].value == before.samples[0].value + 1
        assert sent.error == "It answered 500."
        assert receiver.got.qsize() == 4
        assert (await _reread(parts, webhook)).failures == 1

    async def test_waits_longer_each_time(self, parts: Parts, webhook: Webhook, receiver: Receiver):
        slow = replace(parts, settings=parts.settings.model_copy(update=_SLOW))
        receiver.answers = [500] * 3
        delivery, waits = await _happens(parts, webhook), []
        for _ in range(3):
            await deliver(slow, [delivery.id])
            found = await parts.store.deliveries.by_id(webhook.owner_id, delivery.id)
            assert found
            assert found.due_at
            assert found.last_attempt_at
            waits.append((found.due_at - found.last_attempt_at).total_seconds())
            # Until then it is not sent, whoever asks.
            await deliver(slow, [delivery.id])
            await parts.store.deliveries._deliveries.update_one(
                {"_id": delivery.id}, {"$set": {"not_before": now()}}
            )
        assert receiver.got.qsize() == 3
        for wait, expected in zip(waits, (100, 400, 1_600), strict=True):
            assert 0.79 * expected < wait < 1.21 * expected + 5

    async def test_follows_no_redirect(self, parts: Parts, webhook: Webhook, receiver: Receiver):
        receiver.answers = [302]
        delivery = await _happens(parts, webhook)
        await deliver(parts, [delivery.id])
        found = await parts.store.deliveries.by_id(webhook.owner_id, delivery.id)
        assert found
        assert found.error == "It answered 302: redirects are not followed."
        assert receiver.got.get_nowait().path == "/hook?a=1"
        assert receiver.got.empty()

    async def test_does_not_wait_for_ever(self, parts: Parts, webhook: Webhook, receiver: Receiver):
        """Others are sent meanwhile."""
        receiver.answers = [NEVER]
        slow, quick = await _happens(parts, webhook), await _happens(parts, webhook)
        sending = asyncio.create_task(deliver(parts, [slow.id]))
        await asyncio.to_thread(receiver.got.get, timeout=10)
        assert (await _until_its_end(parts, quick)).status == "DELIVERED"
        # Nor is it sent twice at the same time.
        await deliver(parts, [slow.id])
        assert receiver.got.qsize() == 1
        await sending
        found = await parts.store.deliveries.by_id(webhook.owner_id, slow.id)
        assert found
        assert (found.status, found.error) == ("PENDING", "There was no answer in 1 s.")

    async def test_to_nobody_is_said_so(self, parts: Parts, owner_id: str):
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as closed:
            port = closed.getsockname()[1]
        webhook = await _made(parts, owner_id, f"http://127.0.0.1:{port}")
        sent = await _until_its_end(parts, await _happens(parts, webhook))
        assert sent.status == "DEAD_LETTERED"
        assert (sent.error or "").startswith("No connection: ")
        assert sent.response_status is None

    async def test_is_one_by_one_however_many_workers_have_it(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        delivery = await _happens(parts, webhook)
        await asyncio.gather(*(deliver(parts, [delivery.id]) for _ in range(8)))
        assert receiver.got.qsize() == 1

    async def test_of_one_happening_is_made_once(self, parts: Parts, webhook: Webhook):
        await asyncio.gather(*(_happens(parts, webhook, "same") for _ in range(4)))
        assert len(await _deliveries(parts, webhook)) == 1

    async def test_whose_workers_are_lost_is_given_up(self, parts: Parts, webhook: Webhook):
        delivery = await _happens(parts, webhook)
        for _ in range(4):
            started = await parts.store.deliveries.start(delivery.id, now(), now())
            assert started
        sent = await _until_its_end(parts, delivery)
        assert sent.status == "DEAD_LETTERED"
        assert sent.error == "Its worker was lost at each attempt."

    async def test_of_another_attempt_is_left_alone(self, parts: Parts, webhook: Webhook):
        """A worker that was thought lost, and comes back."""
        store, delivery = parts.store.deliveries, await _happens(parts, webhook)
        late = await store.start(delivery.id, now(), now())
        await asyncio.sleep(0.002)
        other = await store.start(delivery.id, now(), now() + timedelta(minutes=1))
        assert late
        assert other
        assert not await store.end(late, DeliveryStatus.DEAD_LETTERED, error="late")
        assert await store.end(other, DeliveryStatus.DELIVERED)


_SLOW = {"delivery_wait_seconds": 100}


class TestSwitchedOff:
    async def test_by_410(self, parts: Parts, webhook: Webhook, receiver: Receiver):
        receiver.answers = [410]
        sent = await _until_its_end(parts, await _happens(parts, webhook))
        assert (sent.status, sent.attempts) == ("DEAD_LETTERED", 1)
        off = await _reread(parts, webhook)
        assert (off.enabled, off.disabled_reason) == (False, "It answered 410 Gone.")
        # Nothing more is told.
        await _happens(parts, webhook)
        assert len(await _deliveries(parts, webhook)) == 1

    async def test_by_five_that_were_given_up(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        for number in range(5):
            assert (await _reread(parts, webhook)).enabled, number
            receiver.answers = [500] * 4
            await _until_its_end(parts, await _happens(parts, webhook))
        off = await _reread(parts, webhook)
        assert not off.enabled
        assert off.disabled_reason == "5 deliveries were given up one after the other."

    async def test_not_where_some_arrive(self, parts: Parts, webhook: Webhook, receiver: Receiver):
        for answers in ([500] * 4, [500] * 4, [204], [500] * 4):
            receiver.answers = answers
            await _until_its_end(parts, await _happens(parts, webhook))
        found = await _reread(parts, webhook)
        assert (found.enabled, found.failures) == (True, 1)

    async def test_sends_nothing_that_was_on_its_way(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        delivery = await _happens(parts, webhook)
        await parts.store.webhooks.change(webhook.owner_id, webhook.id, enabled=False)
        assert (await _until_its_end(parts, delivery)).status == "DEAD_LETTERED"
        assert receiver.got.empty()


class TestPrivateAddresses:
    async def test_are_not_connected_to(self, parts: Parts, owner_id: str, receiver: Receiver):
        """Whatever the URL was when it was given: the name may lead elsewhere by now. The worker
        need not be told; what it is told here allows all."""
        assert parts.settings.webhook_private_addresses
        webhook = await _made(parts, owner_id, receiver.url.replace("127.0.0.1", "localhost"))
        await parts.store.webhooks.change(owner_id, webhook.id, private=False)
        delivery = await _happens(parts, webhook)
        await deliver(parts, [delivery.id])
        found = await parts.store.deliveries.by_id(owner_id, delivery.id)
        assert found
        assert found.error == "The URL leads to an address that is not public."
        assert receiver.got.empty()
        # It would have arrived.
        await parts.store.webhooks.change(owner_id, webhook.id, private=True)
        assert (await _until_its_end(parts, delivery)).status == "DELIVERED"


async def test_a_certificate_is_that_of_the_name(
    parts: Parts, owner_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is an address that is connected to."""
    tls, trusted = certificate(tmp_path)
    with running_receiver(tls) as receiver:
        by_name = await _made(parts, owner_id, receiver.url.replace("127.0.0.1", "localhost"))
        refused = await _until_its_end(parts, await _happens(parts, by_name))
        assert "certificate verify failed" in (refused.error or "")
        assert receiver.got.empty()

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert (await _until_its_end(parts, await _happens(parts, by_name))).status == "DELIVERED"
        got = receiver.got.get_nowait()
        assert got.headers["Host"] == receiver.url.replace("https://127.0.0.1", "localhost")
        by_address = await _made(parts, owner_id, receiver.url)
        refused = await _until_its_end(parts, await _happens(parts, by_address))
        assert "certificate verify failed" in (refused.error or "")


class TestRedeliverDue:
    async def test_queues_what_a_lost_queue_held(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        delivery = await _happens(parts, webhook)
        store = parts.store.deliveries
        assert delivery.id not in await store.take_due(now(), now(), 1_000)
        late = now() + timedelta(minutes=2)
        assert delivery.id in await store.take_due(late, late + timedelta(minutes=1), 1_000)
        # By one of those who look, until it is due again.
        assert delivery.id not in await store.take_due(late, late, 1_000)
        assert (await _until_its_end(parts, delivery)).status == "DELIVERED"
        assert delivery.id not in await store.take_due(late + timedelta(days=1), late, 1_000)

    async def test_tells_of_a_second_end_too(self, parts: Parts, webhook: Webhook):
        batch = batch_job(webhook.owner_id, 1)
        await parts.store.batch_jobs.add(batch)
        for counts in (
            {"queued": -1, "failed": 1},
            {"failed": -1, "queued": 1},
            {"queued": -1, "completed": 1},
        ):
            moved = await parts.store.batch_jobs.advance(batch.id, 0, counts, None)
            assert moved
            await tell_of_batch(parts, moved.batch_job)
            await tell_of_batch(parts, moved.batch_job)
        assert len(await _deliveries(parts, webhook)) == 2

    async def test_forgets_what_is_old(self, parts: Parts, webhook: Webhook):
        old, new = await _happens(parts, webhook), await _happens(parts, webhook)
        await parts.store.deliveries._deliveries.update_one(
            {"_id": old.id}, {"$set": {"created_at": now() - timedelta(days=31)}}
        )
        await forget_old_deliveries(parts)
        assert [each.id for each in await _deliveries(parts, webhook)] == [new.id]


class TestWhatIsTold:
    async def test_a_batch_each_time_that_it_ends(
        self, parts: Parts, webhook: Webhook, receiver: Receiver
    ):
        batch = batch_job(webhook.owner_id, 2)
        await parts.store.batch_jobs.add(batch)
        queued, failed = AnalysisStatus.QUEUED, AnalysisStatus.FAILED
        await tell_batch_moved(parts, batch.id, 0, queued, AnalysisStatus.SUCCEEDED, 1)
        assert await _deliveries(parts, webhook) == []
        await tell_batch_moved(parts, batch.id, 0, queued, failed, 1)
        await tell_batch_moved(parts, batch.id, 0, failed, queued, 1)
        await tell_batch_moved(parts, batch.id, 0, queued, AnalysisStatus.SUCCEEDED, 1)
        second, first = await _deliveries(parts, webhook)
        for delivery in (first, second):
            await _until_its_end(parts, delivery)
        told = [receiver.got.get_nowait().verified(webhook.secret)["data"] for _ in range(2)]
        counts = ("status", "total", "completed", "failed", "cancelled")
        assert [[each[name] for name in counts] for each in told] == [
            ["PARTIAL", 2, 1, 1, 0],
            ["SUCCEEDED", 2, 2, 0, 0],
        ]
        assert {each["id"] for each in told} == {global_id("BatchJob", batch.id)}

    async def test_an_analysis_outside_a_batch(self, parts: Parts, webhook: Webhook):
        run = analysis(webhook.owner_id, new_id(), status=AnalysisStatus.RUNNING)
        await parts.store.analyses.add([run])
        done = await parts.store.analyses.fail(run, Failure("NO", "It did not work."), 1.0)
        assert done
        await tell_moved(parts, done, AnalysisStatus.RUNNING, None)
        await tell_of_analysis(parts, run)
        [delivery] = await _deliveries(parts, webhook)
        assert '"failure":{"code":"NO","message":"It did not work."}' in delivery.body

    async def test_no_analysis_that_another_engine_made_necessary(
        self, parts: Parts, webhook: Webhook
    ):
        run = analysis(webhook.owner_id, new_id(), status=AnalysisStatus.SUCCEEDED, lane=Lane.BATCH)
        await tell_of_analysis(parts, run)
        assert await _deliveries(parts, webhook) == []
        await tell_of_analysis(parts, replace(run, lane=Lane.INTERACTIVE))
        assert len(await _deliveries(parts, webhook)) == 1

    async def test_only_what_was_asked_for(self, parts: Parts, webhook: Webhook, owner_id: str):
        events = (WebhookEvent.BATCH_JOB_FINISHED,)
        await parts.store.webhooks.change(owner_id, webhook.id, events=events)
        event = WebhookEvent.AUDIO_FILE_DELETED
        await tell(parts, Happening(new_id(), owner_id, event, now(), {}))
        await tell(parts, Happening(new_id(), new_id(), WebhookEvent.BATCH_JOB_FINISHED, now(), {}))
        assert await _deliveries(parts, webhook) == []
