"""A page by key is what slicing the whole sorted list gives."""

from collections.abc import AsyncIterator
from itertools import product

import pytest
from motor.motor_asyncio import AsyncIOMotorCollection

from samplemind.domain.ids import new_id
from samplemind.domain.paging import Page, Window
from samplemind.settings import Settings
from samplemind.store.database import Document, connect, scoped
from samplemind.store.pages import read_page, read_pages

# What sorts before and after the separator and the ends of ranges, in every length of UTF-8.
_NAMES = ["\0", "!", "a", "a:", "a:b", "a~", "é", "\uffff", "🥁", "\U0010fffd"]


Listed = tuple[AsyncIOMotorCollection[Document], str]


@pytest.fixture
async def listed(settings: Settings) -> AsyncIterator[Listed]:
    """A collection with one owner's rows among those of owners whose names surround it."""
    client, database = connect(settings.mongo_url)
    rows = database["pages_of_a_test"]
    await rows.create_index("key", unique=True)
    owner = new_id()
    neighbours = [owner[:-1], owner + "!", owner + "0", owner + "~", owner + "\U0010fffd"]
    for whose in (owner, *neighbours):
        await rows.insert_many(
            [{"_id": new_id(), "key": scoped(whose, name), "whose": whose} for name in _NAMES]
        )
    yield rows, owner
    client.close()


@pytest.mark.parametrize("from_end", [False, True])
@pytest.mark.parametrize("descending", [False, True])
async def test_any_window_is_a_slice(listed: Listed, descending: bool, from_end: bool) -> None:
    rows, owner = listed
    ordered = sorted(_NAMES, reverse=descending)
    places = [None, *range(len(ordered))]
    for size, after, before in product((0, 1, 3, 20), places[::2], places[::3]):
        window = Window(
            size,
            from_end,
            None if after is None else ordered[after],
            None if before is None else ordered[before],
        )
        within = ordered[0 if after is None else after + 1 : before]
        cut = max(0, len(within) - size)
        page = await _read(rows, owner, window, descending)
        assert [row.key for row in page.rows] == (within[cut:] if from_end else within[:size])
        assert all(row.value["whose"] == owner for row in page.rows)
        more = len(within) > size
        assert page.has_next == ((before is not None) if from_end else more)
        assert page.has_previous == (more if from_end else (after is not None))


@pytest.mark.parametrize("from_end", [False, True])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 3, 4])
async def test_walking_meets_every_row_once(
    listed: Listed, size: int, descending: bool, from_end: bool
) -> None:
    rows, owner = listed
    met: list[str] = []
    window = Window(size, from_end)
    while True:
        page = await _read(rows, owner, window, descending)
        keys = [row.key for row in page.rows]
        met = [*keys, *met] if from_end else [*met, *keys]
        if not (page.has_previous if from_end else page.has_next):
            break
        window = Window(size, True, before=keys[0]) if from_end else Window(size, after=keys[-1])
    assert met == sorted(_NAMES, reverse=descending)


@pytest.mark.parametrize("from_end", [False, True])
@pytest.mark.parametrize("descending", [False, True])
async def test_many_lists_are_read_as_each_alone(
    listed: Listed, descending: bool, from_end: bool
) -> None:
    rows, owner = listed
    prefixes = [scoped(whose, "") for whose in (owner, owner + "~", "nobody")]
    known = [(p, [] if p == "nobody:" else sorted(_NAMES)) for p in prefixes]
    places = [None, *_NAMES[::3], "between"]
    for size, after, before in product((0, 1, 3, 20), places, places):
        window = Window(size, from_end, after, before)
        alone = [
            await read_page(
                rows,
                field="key",
                prefix=prefix,
                window=window,
                load=lambda document: document,
                descending=descending,
            )
            for prefix in prefixes
        ]
        together = await read_pages(
            rows,
            field="key",
            keys=known,
            window=window,
            load=lambda document: document,
            descending=descending,
        )
        assert together == alone


async def test_a_forged_key_never_leaves_the_owner(listed: Listed) -> None:
    rows, owner = listed
    for key, descending in product(("\U0010ffff", "\0", ":" * 50, "x" * 10_000), (False, True)):
        for window in (Window(50, after=key), Window(50, True, before=key)):
            page = await _read(rows, owner, window, descending)
            assert all(row.value["whose"] == owner for row in page.rows)


async def test_a_condition_narrows_the_list(listed: Listed) -> None:
    rows, owner = listed
    page = await _read(rows, owner, Window(2), where={"_id": {"$ne": ""}, "whose": owner})
    assert (len(page.rows), page.has_next) == (2, True)
    page = await _read(rows, owner, Window(5), where={"whose": "nobody"})
    assert (page.rows, page.has_next) == ([], False)


async def _read(
    rows: AsyncIOMotorCollection[Document],
    owner: str,
    window: Window,
    descending: bool = False,
    where: Document | None = None,
) -> Page[Document]:
    return await read_page(
        rows,
        field="key",
        prefix=scoped(owner, ""),
        window=window,
        load=lambda document: document,
        descending=descending,
        where=where,
    )
