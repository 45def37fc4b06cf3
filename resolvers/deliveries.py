"""What was sent to webhooks, and what became of it."""

from loaders.deliveries import DeliveriesOfWebhook
from resolvers.scope import Scope
from samplemind.domain.delivery import EMAIL, Delivery, DeliveryStatus
from samplemind.domain.errors import NotFound
from samplemind.domain.ids import now
from samplemind.domain.paging import Page, Window
from samplemind.domain.webhook import Webhook
from samplemind.jobs.notify import QUEUED
from samplemind.jobs.queue import queue_deliveries


async def deliveries(
    scope: Scope, webhook: Webhook, window: Window, status: DeliveryStatus | None
) -> Page[Delivery]:
    """The newest first."""
    asked = DeliveriesOfWebhook(webhook.id, window, status)
    return await scope.loaders.deliveries_of_webhook.load(asked)


async def send_again(scope: Scope, id_: str) -> Delivery:
    """The same message by the same id, whatever has become of it. Raises NotFound."""
    store, moment = scope.parts.store.deliveries, now()
    found = await store.by_id(scope.owner_id, id_)
    if found is None or found.target == EMAIL:
        raise NotFound("You have no such delivery.", field=("input", "deliveryId"))
    await store.again(scope.owner_id, id_, moment, moment + QUEUED)
    await queue_deliveries([id_])
    return await store.by_id(scope.owner_id, id_) or found
