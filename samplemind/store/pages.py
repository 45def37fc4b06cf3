"""Keyset pages: every list is ordered by one indexed string that is unique by construction.

A page is one range over that string, so its cost does not grow with its distance from the
start, and rows added or removed meanwhile neither repeat nor hide others.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, DESCENDING

from samplemind.domain.paging import Page, Row, Window
from samplemind.store.database import END, Document

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
) -> Page[T]:
    """The rows whose `field` begins with `prefix`, in its order, cut to `window`.

    Keys in the window and in the result are without the prefix.
    """
    low, high = prefix, prefix + END
    after, before = (None if key is None else prefix + key for key in (window.after, window.before))
    if descending:
        after, before = before, after
    bounds = {"$gt": max(low, after or low), "$lt": min(high, before or high)}
    backwards = descending != window.from_end
    cursor = (
        collection.find({field: bounds, **(where or {})}, projection)
        .sort(field, DESCENDING if backwards else ASCENDING)
        .limit(window.size + 1)
    )
    documents = await cursor.to_list(window.size + 1)
    more = len(documents) > window.size
    documents = documents[: window.size]
    if window.from_end:
        documents.reverse()
    return Page(
        rows=[Row(document[field].removeprefix(prefix), load(document)) for document in documents],
        has_next=window.before is not None if window.from_end else more,
        has_previous=more if window.from_end else window.after is not None,
    )
