"""API keys: by the hash of their secret, which is all that is stored of it."""

from datetime import datetime

from pydantic import TypeAdapter

from samplemind.domain.api_key import ApiKey
from samplemind.store.database import Database, Document, scoped, within

_api_key = TypeAdapter(ApiKey)


def _load(document: Document) -> ApiKey:
    return _api_key.validate_python({**document, "id": document["_id"]})


class ApiKeys:
    """Every read for a caller takes the owner."""

    def __init__(self, database: Database) -> None:
        self._keys = database["api_keys"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._keys.create_index("key", unique=True)
        await self._keys.create_index("hash", unique=True)

    async def add(self, api_key: ApiKey, hash_: str) -> None:
        document = _api_key.dump_python(api_key)
        key = scoped(api_key.owner_id, api_key.id)
        await self._keys.insert_one(
            {"_id": document.pop("id"), **document, "key": key, "hash": hash_}
        )

    async def by_hash(self, hash_: str) -> ApiKey | None:
        document = await self._keys.find_one({"hash": hash_})
        return _load(document) if document else None

    async def of_owner(self, owner_id: str) -> list[ApiKey]:
        """The oldest first."""
        cursor = self._keys.find({"key": within(scoped(owner_id, ""))}).sort("key")
        return [_load(document) async for document in cursor]

    async def count(self, owner_id: str) -> int:
        return await self._keys.count_documents({"key": within(scoped(owner_id, ""))})

    async def touch(self, api_key: ApiKey, moment: datetime) -> None:
        """It was used at that time."""
        key = scoped(api_key.owner_id, api_key.id)
        await self._keys.update_one({"key": key}, {"$set": {"last_used_at": moment}})

    async def remove(self, owner_id: str, id_: str) -> ApiKey | None:
        """The key that is no more; None where the owner has no such key."""
        document = await self._keys.find_one_and_delete({"key": scoped(owner_id, id_)})
        return _load(document) if document else None
