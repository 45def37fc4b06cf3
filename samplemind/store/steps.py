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
_PLACES = (0, 2, 6, 14)
LOOKED_THROUGH = _PLACES[-1] * _ROWS
"""Rows of the ranges before the last."""

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
    ) -> tuple[list[tuple[str, str]], bool]:
        """low..high (exclusive) as ranges in reading order, from which to which key; each is twice
        as long as the one before. Whether the last, which is the rest, is longer than that."""
        keys = [key for key in await self._of_list(field, prefix) if low < key < high]
        if backwards:
            keys.reverse()
        places = [place for place in _PLACES if place < len(keys)]
        start, end = (high, low) if backwards else (low, high)
        ranges = list(pairwise([start, *(keys[place] for place in places), end]))
        return ranges, len(keys) > 2 * _PLACES[-1]

    async def rows(self, field: str, prefix: str) -> int:
        """About how long the list is."""
        return len(await self._of_list(field, prefix)) * _ROWS

    def has_read(self, field: str, prefix: str, rows: int) -> None:
        """Is told how many rows a range had: after many changes the list is divided anew."""
        if rows > _TOO_MANY:
            self._keys.pop((field, prefix), None)

    async def _of_list(self, field: str, prefix: str) -> list[str]:
        if (field, prefix) not in self._keys:
            rows = self._collection.find({field: within(prefix)}, {"_id": 0, field: 1})
            keys = sorted([row[field] async for row in rows])
            self._keys[field, prefix] = keys[_ROWS - 1 :: _ROWS]
        return self._keys[field, prefix]
