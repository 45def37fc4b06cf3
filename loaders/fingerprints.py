"""Fingerprints by the analysis that made them."""

from loaders.loader import Loader
from samplemind.store import Store


class FingerprintsByAnalysisIdLoader(Loader[str, bytes | None]):
    """Within what one owner may see; None where there is none."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[bytes | None]:
        return await self._store.analyses.fingerprints(self._owner_id, keys)
