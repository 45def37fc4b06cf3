"""Sending what is to be delivered, again and again until it has arrived or is given up.

When a delivery is due stands in its document, so whatever is lost of Redis or of workers, somebody
looks after it: `redeliver_due`.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import structlog

from samplemind import mail, webhooks
from samplemind.domain.delivery import EMAIL, Delivery, DeliveryStatus, NotDelivered
from samplemind.domain.ids import now
from samplemind.domain.webhook import Webhook
from samplemind.jobs.mails import batch_mail
from samplemind.jobs.notify import QUEUED
from samplemind.jobs.queue import queue_deliveries
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

# Longer than any attempt takes; whoever died over it is not waited for longer.
_SENDING = timedelta(minutes=1)
_KEPT = timedelta(days=30)
# How many times longer each wait is than the one before, and by how much it differs by chance:
# what failed together does not come back together.
_LONGER, _JITTER = 4, 0.2
_MOST_DUE = 1_000
# Of one webhook, one after the other, until it is switched off.
_MOST_GIVEN_UP = 5


async def redeliver_due(parts: Parts) -> None:
    """Queues what is due, whose queue or worker may be lost. Any number of processes may call it,
    again and again."""
    moment = now()
    due = await parts.store.deliveries.take_due(moment, moment + QUEUED, _MOST_DUE)
    await queue_deliveries(due)


async def forget_old_deliveries(parts: Parts) -> None:
    await parts.store.deliveries.forget_before(now() - _KEPT)


async def deliver(parts: Parts, ids: Sequence[str]) -> None:
    """Sends each of these that is to be sent now, all at the same time."""
    await asyncio.gather(*(_deliver(parts, id_) for id_ in ids))


async def _deliver(parts: Parts, id_: str) -> None:
    moment = now()
    delivery = await parts.store.deliveries.start(id_, moment, moment + _SENDING)
    if delivery is None:
        return
    try:
        if delivery.attempts > parts.settings.delivery_attempts:
            raise NotDelivered("Its worker was lost at each attempt.", for_good=True)
        status = await _send(parts, delivery)
    except NotDelivered as failure:
        await _fail(parts, delivery, failure)
        return
    delivered = DeliveryStatus.DELIVERED
    await parts.store.deliveries.end(delivery, delivered, response_status=status, error=None)
    if delivery.target != EMAIL:
        await parts.store.webhooks.change(delivery.owner_id, delivery.target, failures=0)


async def _send(parts: Parts, delivery: Delivery) -> int | None:
    """What was answered. Raises NotDelivered."""
    if delivery.target == EMAIL:
        await _send_mail(parts, delivery)
        return None
    [webhook] = await parts.store.webhooks.by_ids(delivery.owner_id, [delivery.target])
    if webhook is None or not webhook.enabled:
        raise NotDelivered("The webhook is switched off.", for_good=True)
    settings = parts.settings
    return await webhooks.post(
        webhook,
        delivery,
        settings.delivery_timeout_seconds,
        private=settings.webhook_private_addresses,
    )


async def _send_mail(parts: Parts, delivery: Delivery) -> None:
    [user] = await parts.store.users.by_ids([delivery.owner_id])
    if not (parts.settings.smtp_url and user and user.email and user.email_notifications):
        raise NotDelivered("No mail is wanted any more.", for_good=True)
    subject, text, headers = batch_mail(parts.settings, user, delivery.body)
    await mail.send(parts.settings, user.email, delivery.id, subject, text, headers)


async def _fail(parts: Parts, delivery: Delivery, failure: NotDelivered) -> None:
    said = {"response_status": failure.status, "error": failure.reason}
    attempts = parts.settings.delivery_attempts
    if not failure.for_good and delivery.attempts < attempts:
        await parts.store.deliveries.wait(delivery, now() + _wait(parts, delivery.attempts), **said)
        return
    dead = DeliveryStatus.DEAD_LETTERED
    if not await parts.store.deliveries.end(delivery, dead, **said):
        return
    _log.warning("delivery given up", delivery_id=delivery.id, reason=failure.reason)
    if delivery.target != EMAIL:
        await _note_failure(parts, delivery, failure)


def _wait(parts: Parts, attempts: int) -> timedelta:
    """After so many attempts."""
    seconds = parts.settings.delivery_wait_seconds * _LONGER ** (attempts - 1)
    return timedelta(seconds=seconds * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311


async def _note_failure(parts: Parts, delivery: Delivery, failure: NotDelivered) -> None:
    """Switches a webhook off whose receiver is gone."""
    webhook = await parts.store.webhooks.fail(delivery.owner_id, delivery.target)
    if webhook is None or not webhook.enabled:
        return
    if reason := _why_off(webhook, failure):
        await parts.store.webhooks.change(
            webhook.owner_id, webhook.id, enabled=False, disabled_reason=reason
        )


def _why_off(webhook: Webhook, failure: NotDelivered) -> str | None:
    if failure.status == webhooks.GONE:
        return "It answered 410 Gone."
    if webhook.failures >= _MOST_GIVEN_UP:
        return f"{webhook.failures} deliveries were given up one after the other."
    return None
