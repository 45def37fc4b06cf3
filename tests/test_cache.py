"""The cache over a real Redis, and over none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis

from samplemind.cache import Cache
from samplemind.domain.ids import new_id
from samplemind.settings import Settings


@pytest.fixture
async def cache(settings: Settings) -> AsyncIterator[Cache]:
    cache = Cache(settings.redis_url)
    yield cache
    await cache.close()


@pytest.fixture
def key() -> str:
    return f"test:{new_id()}"


class Maker:
    """Counts how often it is asked; answers once `ready` is set."""

    def __init__(self, *values: object) -> None:
        self.values = list(values)
        self.asked = 0
        self.begun = asyncio.Event()
        self.ready = asyncio.Event()
        self.ready.set()

    async def __call__(self) -> object:
        self.asked += 1
        self.begun.set()
        await self.ready.wait()
        return self.values.pop(0)


VALUE = {"a": [1, 2.5, None, "ü"], "b": []}


async def test_is_made_once(cache: Cache, settings: Settings, key: str) -> None:
    maker = Maker(VALUE)
    elsewhere = Cache(settings.redis_url)
    for each in (cache, cache, elsewhere):
        assert await each.get_or_make(key, maker, seconds=60) == VALUE
    assert maker.asked == 1
    await elsewhere.close()


@pytest.mark.parametrize("value", [None, 0, 7, "", "7", [], False])
async def test_any_value_is_kept(cache: Cache, key: str, value: object) -> None:
    maker = Maker(value)
    for _ in range(2):
        assert await cache.get_or_make(key, maker, seconds=60) == value


async def test_who_asks_meanwhile_waits_for_the_same(cache: Cache, key: str) -> None:
    maker = Maker(VALUE)
    maker.ready.clear()
    first, *others = [
        asyncio.create_task(cache.get_or_make(key, maker, seconds=60)) for _ in range(20)
    ]
    await maker.begun.wait()
    # Who asked first leaves; the others lose nothing by it.
    first.cancel()
    maker.ready.set()
    assert await asyncio.gather(*others) == [VALUE] * 19
    assert maker.asked == 1


async def test_is_made_again_when_removed_or_over(cache: Cache, key: str) -> None:
    maker = Maker(1, 2, 3)
    assert await cache.get_or_make(key, maker, seconds=60) == 1
    await cache.remove(key)
    assert await cache.get_or_make(key, maker, seconds=0.001) == 2
    await asyncio.sleep(0.01)
    assert await cache.get_or_make(key, maker, seconds=60) == 3


async def test_a_failure_is_not_kept(cache: Cache, key: str) -> None:
    async def fail() -> object:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await cache.get_or_make(key, fail, seconds=60)
    assert await cache.get_or_make(key, Maker(VALUE), seconds=60) == VALUE


async def test_what_changed_is_made_again_everywhere(
    cache: Cache, settings: Settings, key: str
) -> None:
    maker, elsewhere = Maker(1, 2, 3), Cache(settings.redis_url)

    async def ask(of: Cache) -> object:
        return await of.get_or_make_of(key, "sum", maker, seconds=60)

    assert [await ask(each) for each in (cache, elsewhere, cache)] == [1, 1, 1]
    await elsewhere.changed(key)
    assert [await ask(each) for each in (cache, elsewhere, cache)] == [2, 2, 2]
    await elsewhere.changed("something else")
    assert await ask(cache) == 2
    await cache.changed(key)
    assert await ask(elsewhere) == 3
    await elsewhere.close()


async def test_what_was_begun_before_a_change_is_not_found_after_it(cache: Cache, key: str) -> None:
    maker = Maker("before", "after")
    maker.ready.clear()
    early = asyncio.create_task(cache.get_or_make_of(key, "sum", maker, seconds=60))
    await maker.begun.wait()
    await cache.changed(key)
    maker.begun.clear()
    late = asyncio.create_task(cache.get_or_make_of(key, "sum", maker, seconds=60))
    await maker.begun.wait()
    maker.ready.set()
    assert (await early, await late) == ("before", "after")
    assert await cache.get_or_make_of(key, "sum", Maker(), seconds=60) == "after"


async def test_an_emptied_redis_forgets_and_goes_on(
    cache: Cache, settings: Settings, key: str
) -> None:
    maker, redis = Maker(1, 2, 3), Redis.from_url(settings.redis_url)
    for value in (1, 2):
        assert await cache.get_or_make_of(key, "sum", maker, seconds=60) == value
        async for each in redis.scan_iter("samplemind:cache:*"):
            await redis.delete(each)
    await cache.changed(key)
    assert await cache.get_or_make_of(key, "sum", maker, seconds=60) == 3
    await redis.aclose()


async def test_a_change_that_redis_was_not_told_of_is_told_before_the_next_read(
    settings: Settings, key: str
) -> None:
    """Through a network that is cut and mended."""
    address = urlsplit(settings.redis_url)
    maker, is_cut = Maker(1, 2, 3, 4), False
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        if is_cut:
            writer.close()
            return
        there, back = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async with await asyncio.start_server(pass_on, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        cache = Cache(f"redis://127.0.0.1:{port}", avoid_seconds=0)

        async def ask() -> object:
            return await cache.get_or_make_of(key, "sum", maker, seconds=60)

        assert [await ask(), await ask()] == [1, 1]
        is_cut = True
        for writer in writers:
            writer.close()
        await cache.changed(key)
        # Nothing is known of what is kept: made anew each time, and not kept.
        assert [await ask(), await ask()] == [2, 3]
        is_cut = False
        assert [await ask(), await ask()] == [4, 4]
        await cache.close()


async def test_works_without_redis(unused_tcp_port: int, key: str) -> None:
    cache = Cache(f"redis://127.0.0.1:{unused_tcp_port}")
    maker = Maker(1, 2)
    async with asyncio.timeout(1):
        assert await cache.get_or_make(key, maker, seconds=60) == 1
        assert await cache.get_or_make(key, maker, seconds=60) == 2
        await cache.remove(key)
    await cache.close()


async def test_a_redis_that_hangs_costs_little(key: str) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1") as server:
        cache = Cache("redis://127.0.0.1:{1}".format(*server.sockets[0].getsockname()))
        async with asyncio.timeout(3):
            asked = (cache.get_or_make(f"{key}{n}", Maker(n), seconds=60) for n in range(50))
            assert await asyncio.gather(*asked) == list(range(50))
        await cache.close()
