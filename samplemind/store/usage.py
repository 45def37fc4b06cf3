"""What each library takes: counted once an hour, and from then on as it changes. To count is to
read all of it, which is too long for each upload."""

from dataclasses import asdict, dataclass

from pydantic import TypeAdapter
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from samplemind.store.database import Database


@dataclass(frozen=True, slots=True)
class Usage:
    files: int = 0
    bytes: int = 0
    seconds: float = 0.0


_usage = TypeAdapter(Usage)


class Usages:
    """By owner and hour: who counts first in an hour has counted for all."""

    def __init__(self, database: Database) -> None:
        self._usages = database["usages"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._usages.create_index("owner_id")

    async def of(self, owner_id: str, hour: str) -> Usage | None:
        """None where it has not been counted yet."""
        document = await self._usages.find_one({"_id": f"{owner_id}:{hour}"})
        return _usage.validate_python(document) if document else None

    async def begin(self, owner_id: str, hour: str, counted: Usage) -> None:
        """Stores what was counted, unless somebody has been faster."""
        id_ = f"{owner_id}:{hour}"
        try:
            await self._usages.insert_one({"_id": id_, "owner_id": owner_id, **asdict(counted)})
        except DuplicateKeyError:
            return
        async for row in self._usages.find({"owner_id": owner_id}, {"_id": 1}):
            if row["_id"] != id_:
                await self._usages.delete_one({"_id": row["_id"]})

    async def add(self, owner_id: str, hour: str, more: Usage) -> Usage | None:
        """What there is with so much more, or less; None where it has not been counted."""
        document = await self._usages.find_one_and_update(
            {"_id": f"{owner_id}:{hour}"},
            {"$inc": asdict(more)},
            return_document=ReturnDocument.AFTER,
        )
        return _usage.validate_python(document) if document else None

    async def forget_owner(self, owner_id: str) -> None:
        await self._usages.delete_many({"owner_id": owner_id})
