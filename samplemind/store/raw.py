"""Documents as they lie, to the byte: for backups."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne

from samplemind.store.database import Database
from samplemind.store.users import UNCLAIMED

# Rows of what is over within the hour, and of the database itself.
_LEFT_OUT = {"uploads", "schema"}
# Where somebody's things are, if there are any.
_SOMEBODYS = ("audio_files", "analyses", "batch_jobs", "api_keys", "webhooks")

_RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


class Raw:
    """Everybody's documents, whatever they mean."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def collections(self) -> list[str]:
        """Files first: what others say of a file that came later is harmless."""
        names = await self._database.list_collection_names()
        kept = [each for each in names if each not in _LEFT_OUT and not each.startswith("system.")]
        return sorted(kept, key=lambda name: (name != "audio_files", name))

    async def read(self, name: str) -> AsyncIterator[RawBSONDocument]:
        collection = self._database.get_collection(name, codec_options=_RAW)
        async for document in collection.find({}):
            yield document

    async def write(self, name: str, documents: Sequence[RawBSONDocument]) -> None:
        """In place of those of the same ids."""
        collection = self._database.get_collection(name, codec_options=_RAW)
        writes = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
        await collection.bulk_write(writes, ordered=False)

    async def is_empty(self) -> bool:
        """Whether nobody has stored anything."""
        for name in _SOMEBODYS:
            if await self._database[name].find_one({}, {"_id": 1}):
                return False
        return await self._database["users"].find_one({"claim": {"$ne": UNCLAIMED}}) is None
