"""Keyset pages: every list is ordered by one indexed string that is unique by construction.

A page is one range over that string, so its cost does not grow with its distance from the
start, and rows added or removed meanwhile neither repeat nor hide others.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING

from samplemind.domain.paging import Page, Row, Window
from samplemind.store.database import END, Document
from samplemind.store.holds import as_stored, holds
from samplemind.store.steps import Steps

T = TypeVar("T")


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
) -> Page[T]:
    """The rows whose `field` begins with `prefix`, in its order, cut to `window`.

    Keys in the window and in the result are without the prefix. A list that may be long has
    `steps`.
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
        documents = await _read_in_steps(reading, steps, prefix, low, high)
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


async def _read_in_steps(
    reading: _Reading, steps: Steps, prefix: str, low: str, high: str
) -> list[Document]:
    query = as_stored(reading.where, reading.collection.codec_options)
    found: list[Document] = []
    parts, rest = await steps.of(reading.field, prefix, low, high, backwards=reading.backwards)
    for bounds in parts:
        rows = await reading.rows(bounds, {}, every=True)
        steps.read(reading.field, prefix, len(rows))
        found += [row for row in rows if holds(row, query)]
        if len(found) >= reading.most:
            return found[: reading.most]
    if rest:
        # Few match: the server finds them sooner than they are found here.
        found += await reading.rows(rest, reading.where)
    return found[: reading.most]


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
