"""A long list is the same read in steps as read at once, from wherever, both ways."""

import random

import pytest

from benchmarks.scale.library import fill
from samplemind.cache import Cache
from samplemind.domain.analysis import SampleKind
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id
from samplemind.domain.library import (
    AudioFileFilter,
    AudioFileOrder,
    AudioFileOrderField,
    Range,
)
from samplemind.domain.paging import Window
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store.audio_files import AudioFiles, _load, order_field
from samplemind.store.conditions import conditions
from samplemind.store.database import connect, scoped
from samplemind.store.pages import read_page
from tests.store.commands import recorded_commands

_COUNT = 4_000

_FILTERS = (
    None,
    AudioFileFilter(kinds=(SampleKind.ONE_SHOT,)),
    AudioFileFilter(labels=("wind",)),
    AudioFileFilter(labels=("wind",), kinds=(SampleKind.ONE_SHOT,)),
    AudioFileFilter(search="dee bas"),
    AudioFileFilter(tags=("dark", "vinyl"), duration_seconds=Range(None, 2)),
    AudioFileFilter(search="nowhere"),
    AudioFileFilter(analyzed=False),
)


@pytest.fixture(scope="module")
async def owner(parts: Parts) -> str:
    owner = new_id()
    await fill(parts, owner, _COUNT, seed=9)
    return owner


@pytest.fixture(scope="module")
async def files(settings: Settings) -> AudioFiles:
    _, database = connect(settings.mongo_url)
    return AudioFiles(database, Cache(settings.redis_url))


@pytest.mark.parametrize("filter_", _FILTERS, ids=lambda filter_: str(filter_)[16:90])
async def test_it_is_the_same_in_steps(
    files: AudioFiles, owner: str, filter_: AudioFileFilter | None
) -> None:
    chance = random.Random(str(filter_))  # noqa: S311
    for field in AudioFileOrderField:
        for descending in (False, True):
            order = AudioFileOrder(field, descending)
            keys = [row.key for row in (await _at_once(files, owner, Window(_COUNT), order)).rows]
            assert len(keys) == _COUNT
            for _ in range(4):
                low, high = sorted(chance.choices(range(_COUNT), k=2))
                window = Window(
                    size=chance.choice((0, 1, 50, 200)),
                    from_end=chance.random() < 0.5,
                    after=chance.choice((None, keys[low], keys[low] + "!")),
                    before=chance.choice((None, keys[high])),
                )
                expected = await _at_once(files, owner, window, order, filter_)
                assert await files.page(owner, window, order, filter_) == expected


async def test_what_comes_and_goes_is_seen(files: AudioFiles, parts: Parts) -> None:
    owner = new_id()
    await fill(parts, owner, 1_000, seed=1)
    order = AudioFileOrder(descending=False)
    before = [row.value for row in (await files.page(owner, Window(1_000), order)).rows]
    for gone in before[::3]:
        await files.remove(owner, gone.id)
    # Between those of before: where the list was divided, nothing is known of them.
    await fill(parts, owner, 1_500, seed=2)
    met: list[AudioFile] = []
    after = None
    while True:
        page = await files.page(owner, Window(70, after=after), order)
        met += [row.value for row in page.rows]
        if not page.has_next:
            break
        after = page.rows[-1].key
    ids = [file.id for file in met]
    assert ids == sorted(set(ids))
    assert len(ids) == 2_500 - len(before[::3])


async def test_a_page_reads_no_more_than_it_must(files: AudioFiles, owner: str) -> None:
    if not await files._steps.needed():
        pytest.skip("MongoDB stops at the limit by itself")
    await files.page(owner, Window(50), AudioFileOrder())
    with recorded_commands() as commands:
        await files.page(owner, Window(50), AudioFileOrder(), _FILTERS[1])
    bounds = [command["filter"] for command in commands]
    assert 1 <= len(bounds) <= 2
    read = [await files._files.count_documents(each) for each in bounds]
    assert sum(read) <= 300
    # What hardly any file has is read by an index, or else left to the server in the end.
    for filter_, asked in (
        (AudioFileFilter(labels=("wind",), duration_seconds=Range(None, 5)), {"facets"}),
        (AudioFileFilter(search="nowhere"), {"words"}),
        (AudioFileFilter(loudness=Range(None, -40)), {"key", "loudness"}),
    ):
        with recorded_commands() as commands:
            await files.page(owner, Window(50), AudioFileOrder(), filter_)
        *steps, last = [set(command["filter"]) for command in commands if "find" in command]
        assert steps in ([{"key"}], [{"key"}, {"key"}])
        assert last == asked


async def test_what_few_have_is_found_when_more_have_it(files: AudioFiles, parts: Parts) -> None:
    owner, rare = new_id(), AudioFileFilter(labels=("wind",))
    assert await files.few(owner, rare) == []
    await fill(parts, owner, 1_000, seed=3)
    expected = await _at_once(files, owner, Window(1_000), AudioFileOrder(), rare)
    assert len(expected.rows) > 1
    assert set(await files.few(owner, rare) or ()) == {row.value.id for row in expected.rows}


async def _at_once(
    files: AudioFiles,
    owner: str,
    window: Window,
    order: AudioFileOrder,
    filter_: AudioFileFilter | None = None,
):
    return await read_page(
        files._files,
        field=order_field(order),
        prefix=scoped(owner, ""),
        window=window,
        load=_load,
        descending=order.descending,
        where=conditions(owner, filter_),
    )
