"""Analyses by their id, and pages of them."""

from dataclasses import dataclass

from loaders.grouped import load_grouped
from loaders.loader import Loader
from samplemind.domain.analysis import Analysis, AnalysisStatus
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.paging import Page, Window
from samplemind.store import Store


class AnalysesByIdLoader(Loader[str, Analysis | None]):
    """Within what one owner may see; None where there is nothing."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[Analysis | None]:
        return await self._store.analyses.by_ids(self._owner_id, keys)


@dataclass(frozen=True, slots=True)
class AnalysesOfFile:
    """A page of the analyses of a file, the newest first."""

    audio_file_id: str
    window: Window


class AnalysesOfFileLoader(Loader[AnalysesOfFile, Page[Analysis]]):
    """Within what one owner may see; the same page of many files is one read."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[AnalysesOfFile]) -> list[Page[Analysis]]:
        return await load_grouped(keys, lambda key: key.window, self._read)

    async def _read(self, keys: list[AnalysesOfFile]) -> list[Page[Analysis]]:
        ids = [key.audio_file_id for key in keys]
        return await self._store.analyses.pages_of_files(self._owner_id, ids, keys[0].window)


@dataclass(frozen=True, slots=True)
class ItemsOfBatch:
    """A page of the items of a batch: all, or those of one status."""

    batch: BatchJob
    window: Window
    status: AnalysisStatus | None


class ItemsOfBatchLoader(Loader[ItemsOfBatch, Page[Analysis]]):
    """Within what one owner may see; the same page of many batches is one read."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[ItemsOfBatch]) -> list[Page[Analysis]]:
        return await load_grouped(keys, lambda key: (key.window, key.status), self._read)

    async def _read(self, keys: list[ItemsOfBatch]) -> list[Page[Analysis]]:
        batches, like = [key.batch for key in keys], keys[0]
        return await self._store.analyses.pages_of_batches(
            self._owner_id, batches, like.window, like.status
        )
