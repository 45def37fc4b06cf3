"""Files by their id."""

from aiodataloader import DataLoader

from samplemind.domain.audio_file import AudioFile
from samplemind.store import Store


class AudioFilesByIdLoader(DataLoader[str, AudioFile | None]):
    """Within what one owner may see; None where there is nothing."""

    def __init__(self, store: Store, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[AudioFile | None]:
        return await self._store.audio_files.by_ids(self._owner_id, keys)
