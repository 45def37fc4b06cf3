"""Announced uploads."""

from datetime import datetime

from pydantic import TypeAdapter

from samplemind.domain.upload import Upload
from samplemind.store.database import Database, Document, scoped, within

_upload = TypeAdapter(Upload)


def _claimed(key: str, until: datetime | None) -> Document:
    """`claim` holds the upload and its state in one indexed string, for one conditional write."""
    state = until.timestamp() if until else "free"
    return {"claimed_until": until, "claim": f"{key}:{state}"}


def _load(document: Document) -> Upload:
    return _upload.validate_python({**document, "id": document["_id"]})


class Uploads:
    """Every read for a caller takes the owner."""

    def __init__(self, database: Database) -> None:
        self._uploads = database["uploads"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._uploads.create_index("key", unique=True)
        await self._uploads.create_index("claim", unique=True)
        await self._uploads.create_index("expires_at")

    async def add(self, upload: Upload) -> None:
        document = _upload.dump_python(upload)
        id_ = document.pop("id")
        key = scoped(upload.owner_id, id_)
        await self._uploads.insert_one({"_id": id_, **document, "key": key, **_claimed(key, None)})

    async def by_id(self, owner_id: str, id_: str) -> Upload | None:
        document = await self._uploads.find_one({"key": scoped(owner_id, id_)})
        return _load(document) if document else None

    async def claim(self, owner_id: str, id_: str, now: datetime, until: datetime) -> bool:
        """Makes the caller the only one who completes it, until it says `complete` or `release`,
        or that time. False where it is completed, or somebody else is at it."""
        key = scoped(owner_id, id_)
        found = await self._uploads.find_one({"key": key})
        if found is None or found["completed"]:
            return False
        if found["claimed_until"] and found["claimed_until"] > now:
            return False
        # Of several who have found it free, one alone still finds it as it was.
        result = await self._uploads.update_one(
            {"claim": found["claim"]}, {"$set": _claimed(key, until)}
        )
        return result.modified_count > 0

    async def release(self, owner_id: str, id_: str) -> None:
        """Lets others complete it."""
        key = scoped(owner_id, id_)
        await self._uploads.update_one({"key": key}, {"$set": _claimed(key, None)})

    async def complete(self, owner_id: str, id_: str) -> None:
        """Ends it: nobody completes it again."""
        await self._uploads.update_one(
            {"key": scoped(owner_id, id_)}, {"$set": {"completed": True}}
        )

    async def expired(self, before: datetime) -> list[Upload]:
        """Everybody's uploads whose time was over by then."""
        documents = await self._uploads.find({"expires_at": {"$lt": before}}).to_list(None)
        return [_load(document) for document in documents]

    async def announced_bytes(self, owner_id: str) -> int:
        """Of those that are not completed and not yet cleaned away."""
        cursor = self._uploads.find({"key": within(scoped(owner_id, ""))})
        return sum([row["size_bytes"] async for row in cursor if not row["completed"]])

    async def remove(self, owner_id: str, id_: str) -> None:
        await self._uploads.delete_one({"key": scoped(owner_id, id_)})

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's."""
        await self._uploads.delete_many({"key": within(scoped(owner_id, ""))})
