"""Files by their id, pages of them, and how many there are."""

import asyncio

from loaders.loader import Loader
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.library import AudioFileFilter, AudioFileOrder
from samplemind.domain.paging import Page, Window
from samplemind.store import Store


class AudioFilesByIdLoader(Loader[str, AudioFile | None]):
    """Within what one owner may see; None where there is nothing."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[AudioFile | None]:
        return await self._store.audio_files.by_ids(self._owner_id, keys)


class AudioFilePagesLoader(Loader[Window, Page[AudioFile]]):
    """Pages of one owner's files, the newest first: each is read once, whoever asks."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[Window]) -> list[Page[AudioFile]]:
        page, newest = self._store.audio_files.page, AudioFileOrder()
        return await asyncio.gather(*(page(self._owner_id, key, newest) for key in keys))


class AudioFileCountsLoader(Loader[AudioFileFilter, int]):
    """How many of one owner's files match: each filter is counted once, whoever asks."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[AudioFileFilter]) -> list[int]:
        count = self._store.audio_files.count
        return await asyncio.gather(*(count(self._owner_id, key) for key in keys))
