"""Few rows by one of several conditions.

A read is served by one index, and the embedded document server uses none where there are several
conditions. So where one condition is met by few rows, they are read by it alone, and compared
with the others here.
"""

from collections.abc import Sequence

from cachetools import TTLCache
from motor.motor_asyncio import AsyncIOMotorCollection

from samplemind.store.database import Document

# Rows that are read by one condition, to be compared with others.
_MOST = 4_000

_KEPT_COUNTS, _KEPT_SECONDS = 10_000, 600


class Rarest:
    """Which condition on a collection's indexed fields is met by the fewest rows.

    Counts are kept for some minutes: what has come or gone since then only makes a read longer.
    """

    def __init__(self, collection: AsyncIOMotorCollection[Document]) -> None:
        self._collection = collection
        self._counts: TTLCache[str, int] = TTLCache(_KEPT_COUNTS, _KEPT_SECONDS)

    async def rows(
        self, conditions: Sequence[Document], fields: Document | None, most: int
    ) -> list[Document] | None:
        """All rows that meet the rarest of the conditions; None where they are more than `most` or
        than 4,000, or there is no condition."""
        counted = [(await self._count(each), place) for place, each in enumerate(conditions)]
        count, place = min(counted, default=(most + 1, 0))
        if count > min(most, _MOST):
            return None
        condition = conditions[place]
        rows = await self._collection.find(condition, fields).limit(_MOST + 1).to_list(None)
        if len(rows) > _MOST:
            self._counts.pop(repr(condition), None)
            return None
        return rows

    async def _count(self, condition: Document) -> int:
        name = repr(condition)
        if name not in self._counts:
            count = await self._collection.count_documents(condition, limit=_MOST + 1)
            self._counts[name] = count
        return self._counts[name]
