"""Webhooks by their owner."""

from loaders.loader import Loader
from samplemind.domain.webhook import Webhook
from samplemind.store import Store


class WebhooksByOwnerLoader(Loader[str, list[Webhook]]):
    """Within what one owner may see, which is that owner's."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[list[Webhook]]:
        own = await self._store.webhooks.of_owner(self._owner_id)
        return [own if key == self._owner_id else [] for key in keys]
