"""Pages of deliveries."""

from dataclasses import dataclass

from loaders.grouped import load_grouped
from loaders.loader import Loader
from samplemind.domain.delivery import Delivery, DeliveryStatus
from samplemind.domain.paging import Page, Window
from samplemind.store import Store


@dataclass(frozen=True, slots=True)
class DeliveriesOfWebhook:
    """A page of the deliveries of a webhook, the newest first: all, or those of one status."""

    webhook_id: str
    window: Window
    status: DeliveryStatus | None


class DeliveriesOfWebhookLoader(Loader[DeliveriesOfWebhook, Page[Delivery]]):
    """Within what one owner may see; the same page of many webhooks is one read."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[DeliveriesOfWebhook]) -> list[Page[Delivery]]:
        return await load_grouped(keys, lambda key: (key.window, key.status), self._read)

    async def _read(self, keys: list[DeliveriesOfWebhook]) -> list[Page[Delivery]]:
        ids, like = [key.webhook_id for key in keys], keys[0]
        return await self._store.deliveries.pages(self._owner_id, ids, like.window, like.status)
