"""Long lists on a server that reads a whole range, however few of its rows are asked for.

MongoDB walks an index and stops at the limit. The embedded document server reads and sorts all
of the range first, and reads the whole collection where there is a condition beside it. So a list
is read there in steps, between keys that lie a hundred rows apart, without further conditions.
The keys are kept for some minutes: whatever has come or gone since then only makes a step longer
or shorter.
"""

from itertools import pairwise

from cachetools import TTLCache
from motor.motor_asyncio import AsyncIOMotorCollection

from samplemind.store.database import Database, Document, within

_ROWS = 100
_TOO_MANY = 50 * _ROWS
_PLACES = (0, 2, 6)
_LOOKED_THROUGH = _PLACES[-1] + 1
_KEPT_LISTS, _KEPT_SECONDS = 100, 600


class Steps:
    """The steps of one collection's lists."""

    def __init__(self, database: Database, collection: AsyncIOMotorCollection[Document]) -> None:
        self._database = database
        self._collection = collection
        self._needed: bool | None = None
        self._keys: TTLCache[tuple[str, str], list[str]] = TTLCache(_KEPT_LISTS, _KEPT_SECONDS)

    async def needed(self) -> bool:
        """Whether this server is one that has to be asked in steps."""
        if self._needed is None:
            self._needed = "secantusVersion" in await self._database.command("buildInfo")
        return self._needed

    async def of(
        self, field: str, prefix: str, low: str, high: str, *, backwards: bool
    ) -> tuple[list[Document], Document | None]:
        """low..high (exclusive) as conditions on `field`, in reading order: steps, each twice as
        long as the one before, and what is too much to be looked through here."""
        keys = [key for key in await self._of_list(field, prefix) if low < key < high]
        if backwards:
            keys.reverse()
        short = len(keys) <= _LOOKED_THROUGH
        ends = [keys[place] for place in _PLACES if place < min(len(keys), _LOOKED_THROUGH)]
        start, end = (high, low) if backwards else (low, high)
        parts = [
            {"$gt": to, "$lte": at} if backwards else {"$gt": at, "$lte": to}
            for at, to in pairwise([start, *ends, end])
        ]
        # Both ends of the whole are left out.
        parts[0 if backwards else -1]["$lt"] = parts[0 if backwards else -1].pop("$lte")
        return (parts, None) if short else (parts[:-1], parts[-1])

    def read(self, field: str, prefix: str, rows: int) -> None:
        """Is told how many rows a step had: after many changes the list is divided anew."""
        if rows > _TOO_MANY:
            self._keys.pop((field, prefix), None)

    async def _of_list(self, field: str, prefix: str) -> list[str]:
        if (field, prefix) not in self._keys:
            rows = self._collection.find({field: within(prefix)}, {"_id": 0, field: 1})
            keys = sorted([row[field] async for row in rows])
            self._keys[field, prefix] = keys[_ROWS - 1 :: _ROWS]
        return self._keys[field, prefix]
