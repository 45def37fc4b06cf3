"""Batch jobs by their id."""

from loaders.loader import Loader
from samplemind.domain.batch_job import BatchJob
from samplemind.store import Store


class BatchJobsByIdLoader(Loader[str, BatchJob | None]):
    """Within what one owner may see; None where there is nothing."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[BatchJob | None]:
        return await self._store.batch_jobs.by_ids(self._owner_id, keys)
