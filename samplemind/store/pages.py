"""Keyset pages: every list is ordered by one indexed string that is unique by construction.

A page is one range over that string, so its cost does not grow with its distance from the
start, and rows added or removed meanwhile neither repeat nor hide others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING

from samplemind.domain.paging import Page, Row, Window
from samplemind.store.database import END, Document
from samplemind.store.holds import as_stored, holds
from samplemind.store.steps import LOOKED_THROUGH, Steps

T = TypeVar("T")

Few = Callable[[int], Awaitable[list[Document] | None]]

# The server looks through so many rows while one of few is read and compared here.
_LOOKED_THROUGH_MEANWHILE = 10


async def read_page(
    collection: AsyncIOMotorCollection[Document],
    *,
    field: str,
    prefix: str,
    window: Window,
    load: Callable[[Document], T],
    descending: bool = False,
    where: Document | None = None,
    projection: Any = None,
    steps: Steps | None = None,
    few: Few | None = None,
) -> Page[T]:
    """The rows whose `field` begins with `prefix`, in its order, cut to `window`.

    Keys in the window and in the result are without the prefix. A list that may be long has
    `steps`; `few` answers all rows that meet `where` if an index finds so many at most.
    """
    low, high = prefix, prefix + END
    after, before = (None if key is None else prefix + key for key in (window.after, window.before))
    if descending:
        after, before = before, after
    low, high = max(low, after or low), min(high, before or high)
    reading = _Reading(
        collection, field, where or {}, descending != window.from_end, window.size + 1, projection
    )
    if steps and low < high and await steps.needed():
        documents = await _read_in_steps(reading, steps, few, prefix, low, high)
    else:
        documents = await reading.rows({"$gt": low, "$lt": high}, reading.where)
    more = len(documents) > window.size
    documents = documents[: window.size]
    if window.from_end:
        documents.reverse()
    return Page(
        rows=[Row(document[field].removeprefix(prefix), load(document)) for document in documents],
        has_next=window.before is not None if window.from_end else more,
        has_previous=more if window.from_end else window.after is not None,
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read of a list: at most `most` rows, from one of its ends."""

    collection: AsyncIOMotorCollection[Document]
    field: str
    where: Document
    backwards: bool
    most: int
    projection: Any

    async def rows(
        self, bounds: Document, where: Document, *, every: bool = False
    ) -> list[Document]:
        cursor = self.collection.find({self.field: bounds, **where}, self.projection)
        cursor = cursor.sort(self.field, DESCENDING if self.backwards else ASCENDING)
        return await (cursor if every else cursor.limit(self.most)).to_list(None)

    def cut(self, rows: list[Document], low: str, high: str) -> list[Document]:
        """What is read of the list where these are all its rows."""
        rows = [row for row in rows if low < row[self.field] < high]
        rows.sort(key=lambda row: row[self.field], reverse=self.backwards)
        return rows[: self.most]


async def _read_in_steps(
    reading: _Reading, steps: Steps, few: Few | None, prefix: str, low: str, high: str
) -> list[Document]:
    query = as_stored(reading.where, reading.collection.codec_options)
    ranges, is_long = await steps.of(reading.field, prefix, low, high, backwards=reading.backwards)
    found: list[Document] = []
    seen, reached = 0, ranges[0][0]
    for start, end in ranges[:-1] if is_long else ranges:
        rows = await reading.rows(_between(start, end, high), {}, every=True)
        steps.has_read(reading.field, prefix, len(rows))
        found += [row for row in rows if holds(row, query)]
        seen, reached = seen + len(rows), end
        if len(found) >= reading.most:
            return found[: reading.most]
        if is_long and len(found) * LOOKED_THROUGH < reading.most * seen:
            break
    if is_long:
        # Few match: an index finds them sooner than they are found here, or else the server does.
        most = await steps.rows(reading.field, prefix) // _LOOKED_THROUGH_MEANWHILE
        if few and (rows := await few(most)) is not None:
            return reading.cut(rows, low, high)
        rest = _between(reached, ranges[-1][1], high)
        found += await reading.rows(rest, reading.where)
    return found[: reading.most]


def _between(start: str, end: str, high: str) -> Document:
    """The condition on keys from `start`, which has been read, to `end`, either way round; `high`
    is of neither."""
    low, up = min(start, end), max(start, end)
    return {"$gt": low, "$lt" if up == high else "$lte": up}


async def read_pages(
    collection: AsyncIOMotorCollection[Document],
    *,
    field: str,
    keys: Sequence[tuple[str, Sequence[str]]],
    window: Window,
    load: Callable[[Document], T],
    descending: bool = False,
    projection: Any = None,
) -> list[Page[T]]:
    """The same window on many lists, by one command.

    `keys` has a list's prefix and the keys that are in it, ascending.
    """
    cuts = [(prefix, _cut(ordered, window, descending)) for prefix, ordered in keys]
    wanted = [prefix + key for prefix, page in cuts for key in page.rows]
    cursor = collection.find({field: {"$in": wanted}}, projection)
    found = {document[field]: document for document in await cursor.to_list(None)}
    return [
        Page(
            # What was removed since the keys were read is left out.
            rows=[
                Row(key, load(found[prefix + key])) for key in page.rows if prefix + key in found
            ],
            has_next=page.has_next,
            has_previous=page.has_previous,
        )
        for prefix, page in cuts
    ]


@dataclass(frozen=True, slots=True)
class _Cut:
    rows: Sequence[str]
    has_next: bool
    has_previous: bool


def _cut(ordered: Sequence[str], window: Window, descending: bool) -> _Cut:
    """What read_page finds, of keys that are all there."""
    low, high = (window.before, window.after) if descending else (window.after, window.before)
    start = 0 if low is None else bisect_right(ordered, low)
    end = len(ordered) if high is None else bisect_left(ordered, high)
    keys = ordered[start : max(start, end)]
    if descending:
        keys = keys[::-1]
    more = len(keys) > window.size
    rows = keys[max(0, len(keys) - window.size) :] if window.from_end else keys[: window.size]
    return _Cut(
        rows,
        has_next=window.before is not None if window.from_end else more,
        has_previous=more if window.from_end else window.after is not None,
    )
