"""Sums over a library are kept, and never told after a write that changes them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from samplemind.cache import Cache
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id
from samplemind.domain.library import AudioFileFilter
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store import Store
from tests.domain.models import analysis, audio_file, findings
from tests.store.commands import recorded_commands

_SEARCHED = AudioFileFilter(search="kick")


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Store]:
    """The same documents and the same Redis, seen from another process."""
    cache = Cache(settings.redis_url)
    store = Store(settings.mongo_url, cache)
    yield store
    await cache.close()
    store.close()


async def _told(store: Store, owner_id: str) -> list[Any]:
    files = store.audio_files
    return [
        *[await files.count(owner_id, filter_) for filter_ in (None, _SEARCHED)],
        *[await files.stats(owner_id, filter_) for filter_ in (None, _SEARCHED)],
    ]


async def _true(parts: Parts, owner_id: str, port: int) -> list[Any]:
    """What a store says that has no cache to ask."""
    cache = Cache(f"redis://127.0.0.1:{port}")
    store = Store(parts.settings.mongo_url, cache)
    try:
        return await _told(store, owner_id)
    finally:
        store.close()
        await cache.close()


async def test_is_summed_up_once(parts: Parts, worker: Store, owner_id: str) -> None:
    await parts.store.audio_files.add(audio_file(owner_id))
    told = await _told(parts.store, owner_id)
    with recorded_commands() as commands:
        assert await _told(parts.store, owner_id) == await _told(worker, owner_id) == told
    assert commands == []
    assert told[0] == 1


Write = Callable[[Store, AudioFile], Awaitable[object]]

_WRITES: dict[str, Write] = {
    "added": lambda store, file: store.audio_files.add(audio_file(file.owner_id, seconds=7.0)),
    "renamed": lambda store, file: store.audio_files.rename(replace(file, filename="snare.wav")),
    "tagged": lambda store, file: store.audio_files.add_tags(file.owner_id, file.id, ["kick"]),
    "analysed": lambda store, file: store.audio_files.set_analysis(
        analysis(file.owner_id, file.id, findings=findings())
    ),
    "removed": lambda store, file: store.audio_files.remove(file.owner_id, file.id),
}


@pytest.mark.parametrize("write", _WRITES)
async def test_a_write_is_seen_at_once_by_all(
    parts: Parts, worker: Store, owner_id: str, write: str, unused_tcp_port: int
) -> None:
    name = "hat.wav" if write == "tagged" else "kick.wav"
    file = await parts.store.audio_files.add(audio_file(owner_id, filename=name))
    before = await _told(parts.store, owner_id)
    assert await _told(worker, owner_id) == before
    await _WRITES[write](worker, file)
    after = await _told(parts.store, owner_id)
    assert after != before
    assert after == await _told(worker, owner_id) == await _true(parts, owner_id, unused_tcp_port)


async def test_of_another_owner_nothing_ends(parts: Parts, owner_id: str) -> None:
    await parts.store.audio_files.add(audio_file(owner_id))
    await _told(parts.store, owner_id)
    await parts.store.audio_files.add(audio_file(new_id()))
    with recorded_commands() as commands:
        await _told(parts.store, owner_id)
    assert commands == []


async def test_who_writes_reads_it_among_many(parts: Parts, owner_id: str) -> None:
    """Each writes and reads at once with others: nobody is told less than was there before."""
    store = parts.store.audio_files

    async def write_and_read(done: list[int]) -> None:
        await store.add(audio_file(owner_id))
        done.append(1)
        least = len(done)
        assert await store.count(owner_id) >= least
        assert (await store.stats(owner_id)).audio_files >= least

    done: list[int] = []
    await asyncio.gather(*(write_and_read(done) for _ in range(40)))
    assert await store.count(owner_id) == 40


async def test_without_redis_it_is_summed_up_each_time(
    parts: Parts, owner_id: str, unused_tcp_port: int
) -> None:
    cache = Cache(f"redis://127.0.0.1:{unused_tcp_port}")
    store = Store(parts.settings.mongo_url, cache)
    for count in (1, 2, 3):
        await store.audio_files.add(audio_file(owner_id))
        assert await store.audio_files.count(owner_id) == count
        assert (await store.audio_files.stats(owner_id)).audio_files == count
    store.close()
    await cache.close()
