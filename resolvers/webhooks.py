"""Webhooks: made, listed, changed, tried, removed."""

from collections.abc import Sequence
from typing import Any

from resolvers.audit import note
from resolvers.scope import Scope
from samplemind.domain.audit_event import AuditAction
from samplemind.domain.delivery import Delivery
from samplemind.domain.errors import BadUserInput, NotFound, TooManyWebhooks
from samplemind.domain.ids import global_id, new_id, now
from samplemind.domain.webhook import Webhook, WebhookEvent
from samplemind.jobs.notify import QUEUED, body_of
from samplemind.jobs.queue import queue_deliveries
from samplemind.webhooks import check_url, new_secret

MOST_WEBHOOKS = 10


async def webhooks(scope: Scope, owner_ids: Sequence[str]) -> list[list[Webhook]]:
    """Those of each owner, the oldest first."""
    return await scope.loaders.webhooks_by_owner.load_many(owner_ids)


async def create_webhook(
    scope: Scope, url: str, events: Sequence[WebhookEvent]
) -> tuple[Webhook, str]:
    """The webhook and its secret, which is told now and never again.

    Raises BadUserInput, TooManyWebhooks.
    """
    parts = scope.parts
    chosen = _chosen(events)
    if await parts.store.webhooks.count(scope.owner_id) >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"You have {MOST_WEBHOOKS} webhooks, the most: delete one first.")
    url = await check_url(url, private=parts.settings.webhook_private_addresses)
    webhook = Webhook(new_id(), scope.owner_id, url, chosen, new_secret(), now())
    await parts.store.webhooks.add(webhook)
    await note(scope, AuditAction.WEBHOOK_CREATED, scope.owner_id, webhook.id)
    return webhook, webhook.secret


async def update_webhook(
    scope: Scope,
    id_: str,
    url: str | None,
    events: Sequence[WebhookEvent] | None,
    enabled: bool | None,
) -> Webhook:
    """Changes what is given. Raises NotFound, BadUserInput."""
    fields: dict[str, Any] = {}
    if url is not None:
        private = scope.parts.settings.webhook_private_addresses
        fields["url"] = await check_url(url, private=private)
    if events is not None:
        fields["events"] = _chosen(events)
    if enabled is not None:
        fields |= {"enabled": enabled, "disabled_reason": None, "failures": 0}
    if not fields:
        return await _webhook(scope, id_)
    changed = await scope.parts.store.webhooks.change(scope.owner_id, id_, **fields)
    return await _changed(scope, changed)


async def rotate_secret(scope: Scope, id_: str) -> tuple[Webhook, str]:
    """The webhook and its new secret, which signs everything from now on. Raises NotFound."""
    secret = new_secret()
    changed = await scope.parts.store.webhooks.change(scope.owner_id, id_, secret=secret)
    return await _changed(scope, changed), secret


async def delete_webhook(scope: Scope, id_: str) -> None:
    """With its deliveries. Raises NotFound."""
    if await scope.parts.store.webhooks.remove(scope.owner_id, id_) is None:
        raise _not_found()
    await scope.parts.store.deliveries.forget_target(scope.owner_id, id_)
    await note(scope, AuditAction.WEBHOOK_DELETED, scope.owner_id, id_)


async def test_webhook(scope: Scope, id_: str) -> Delivery:
    """Sends it an event that means nothing. Raises NotFound, BadUserInput where it is off."""
    webhook = await _webhook(scope, id_)
    if not webhook.enabled:
        message = "This webhook is switched off: switch it on by updateWebhook."
        raise BadUserInput(message, field=("input", "id"))
    moment, test = now(), WebhookEvent.TEST
    body = body_of(test, moment, {"webhookId": global_id("Webhook", id_)})
    delivery = Delivery(new_id(), scope.owner_id, id_, test, body, moment, due_at=moment + QUEUED)
    await scope.parts.store.deliveries.add(delivery, delivery.id, moment + QUEUED)
    await queue_deliveries([delivery.id])
    return delivery


def _chosen(events: Sequence[WebhookEvent]) -> tuple[WebhookEvent, ...]:
    chosen = tuple(dict.fromkeys(events))
    if not chosen or WebhookEvent.TEST in chosen:
        message = "Name one event or more; TEST is sent by testWebhook alone."
        raise BadUserInput(message, field=("input", "events"))
    return chosen


async def _changed(scope: Scope, changed: Webhook | None) -> Webhook:
    if changed is None:
        raise _not_found()
    await note(scope, AuditAction.WEBHOOK_CHANGED, scope.owner_id, changed.id)
    return changed


async def _webhook(scope: Scope, id_: str) -> Webhook:
    [found] = await scope.parts.store.webhooks.by_ids(scope.owner_id, [id_])
    if found is None:
        raise _not_found()
    return found


def _not_found() -> NotFound:
    return NotFound("You have no such webhook.", field=("input", "id"))
