"""API keys by their owner."""

from loaders.loader import Loader
from samplemind.domain.api_key import ApiKey
from samplemind.store import Store


class ApiKeysByOwnerLoader(Loader[str, list[ApiKey]]):
    """Within what one owner may see, which is that owner's."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[list[ApiKey]]:
        own = await self._store.api_keys.of_owner(self._owner_id)
        return [own if key == self._owner_id else [] for key in keys]
