"""Files whose vector is not what their document says: to be mended when Chroma answers again."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from samplemind.store.database import Database, scoped, within


@dataclass(frozen=True, slots=True)
class VectorSync:
    owner_id: str
    audio_file_id: str


class VectorSyncs:
    """For workers: of everybody."""

    def __init__(self, database: Database) -> None:
        self._syncs = database["vector_syncs"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._syncs.create_index("key", unique=True)

    async def add(self, sync: VectorSync) -> None:
        key = scoped(sync.owner_id, sync.audio_file_id)
        row = {"owner_id": sync.owner_id, "audio_file_id": sync.audio_file_id}
        # Two who add it at once have both added it.
        with contextlib.suppress(DuplicateKeyError):
            await self._syncs.update_one({"key": key}, {"$set": row}, upsert=True)

    async def oldest(self, count: int) -> Sequence[VectorSync]:
        rows = await self._syncs.find().limit(count).to_list(count)
        return [VectorSync(row["owner_id"], row["audio_file_id"]) for row in rows]

    async def remove(self, sync: VectorSync) -> None:
        await self._syncs.delete_one({"key": scoped(sync.owner_id, sync.audio_file_id)})

    async def forget_owner(self, owner_id: str) -> None:
        await self._syncs.delete_many({"key": within(scoped(owner_id, ""))})
