"""Announced uploads."""

from datetime import UTC, datetime

from pydantic import TypeAdapter

from samplemind.domain.upload import Upload
from samplemind.store.database import Database, Document, scoped

_upload = TypeAdapter(Upload)

_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def _load(document: Document) -> Upload:
    return _upload.validate_python({**document, "id": document["_id"]})


class Uploads:
    """Every read for a caller takes the owner."""

    def __init__(self, database: Database) -> None:
        self._uploads = database["uploads"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._uploads.create_index("key", unique=True)
        await self._uploads.create_index("expires_at")

    async def add(self, upload: Upload) -> None:
        document = _upload.dump_python(upload)
        id_ = document.pop("id")
        key = scoped(upload.owner_id, id_)
        await self._uploads.insert_one({"_id": id_, **document, "key": key, "claimed_until": None})

    async def by_id(self, owner_id: str, id_: str) -> Upload | None:
        document = await self._uploads.find_one({"key": scoped(owner_id, id_)})
        return _load(document) if document else None

    async def claim(self, owner_id: str, id_: str, now: datetime, until: datetime) -> bool:
        """Makes the caller the only one who completes it, until it says `complete` or `release`,
        or that time. False where it is completed, or somebody else is at it."""
        # What a conditional write has changed tells who was first: the embedded server may answer a
        # document that another write has changed meanwhile.
        for claimed in (None, {"$lte": now}):
            result = await self._uploads.update_one(
                {"key": scoped(owner_id, id_), "claimed_until": claimed},
                {"$set": {"claimed_until": until}},
            )
            if result.modified_count:
                return True
        return False

    async def release(self, owner_id: str, id_: str) -> None:
        """Lets others complete it."""
        await self._uploads.update_one(
            {"key": scoped(owner_id, id_)}, {"$set": {"claimed_until": None}}
        )

    async def complete(self, owner_id: str, id_: str) -> None:
        """Ends it: nobody completes it again."""
        await self._uploads.update_one(
            {"key": scoped(owner_id, id_)},
            {"$set": {"completed": True, "claimed_until": _FOR_EVER}},
        )

    async def expired(self, before: datetime) -> list[Upload]:
        """Everybody's uploads whose time was over by then."""
        documents = await self._uploads.find({"expires_at": {"$lt": before}}).to_list(None)
        return [_load(document) for document in documents]

    async def remove(self, owner_id: str, id_: str) -> None:
        await self._uploads.delete_one({"key": scoped(owner_id, id_)})
