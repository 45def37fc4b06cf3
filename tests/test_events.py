"""Live events over a real Redis, whose connections are really cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from samplemind.domain.ids import new_id
from samplemind.events import MISSED, Events, Receive
from samplemind.settings import Settings


@pytest.fixture
async def events(settings: Settings) -> AsyncIterator[Events]:
    events = Events(settings.redis_url)
    yield events
    await events.close()


@pytest.fixture
def channel() -> str:
    return f"test:{new_id()}"


async def _next(receive: Receive) -> bytes:
    return await asyncio.wait_for(receive(), 5)


async def _listeners(events: Events, channel: str) -> int:
    [(_, count)] = await events.redis.pubsub_numsub(channel)
    return count


async def _until_listeners(events: Events, channel: str, count: int) -> None:
    """Redis tells nobody of its subscribers, so it is asked until they are `count`."""
    async with asyncio.timeout(5):
        while await _listeners(events, channel) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _cut(events: Events) -> None:
    """Ends every subscriber's connection, as a restarted Redis would."""
    await events.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


async def test_messages_arrive_in_order_on_their_channel(events: Events, channel: str) -> None:
    async with events.listen(channel) as receive, events.listen(channel + "2") as other:
        for number in range(100):
            await events.publish(channel, b"%d" % number)
        await events.publish(channel + "2", b"\x00\xff")
        assert [await _next(receive) for _ in range(100)] == [b"%d" % n for n in range(100)]
        assert await _next(other) == b"\x00\xff"


async def test_who_comes_when_the_connection_is_to_be_checked_is_served(
    events: Events, channel: str
) -> None:
    async with events.listen(channel):
        pass
    await _until_listeners(events, channel, 0)
    connection = events._pubsub.connection
    assert connection
    connection.next_health_check = 0
    async with events.listen(channel) as receive:
        await events.publish(channel, b"hello")
        assert await _next(receive) == b"hello"


async def test_other_processes_are_heard(events: Events, settings: Settings, channel: str) -> None:
    elsewhere = Events(settings.redis_url)
    async with events.listen(channel) as receive:
        await elsewhere.publish(channel, b"hello")
        assert await _next(receive) == b"hello"
    await elsewhere.close()


async def test_everybody_who_listens_hears_it(events: Events, channel: str) -> None:
    async with events.listen(channel) as first:
        await events.publish(channel, b"1")
        assert await _next(first) == b"1"
        async with events.listen(channel) as second:
            await events.publish(channel, b"2")
            assert [await _next(first), await _next(second)] == [b"2", b"2"]
            assert await _listeners(events, channel) == 1
        await events.publish(channel, b"3")
        assert await _next(first) == b"3"


async def test_the_last_who_leaves_frees_the_channel(events: Events, channel: str) -> None:
    for _ in range(3):
        async with events.listen(channel) as receive:
            await events.publish(channel, b"1")
            assert await _next(receive) == b"1"
            assert await _listeners(events, channel) == 1
        await _until_listeners(events, channel, 0)


async def test_a_cut_connection_is_told_and_comes_back(events: Events, channel: str) -> None:
    async with events.listen(channel) as first, events.listen(channel + "2") as second:
        for round_ in range(2):
            await _cut(events)
            assert await _next(first) == MISSED
            assert await _next(second) == MISSED
            message = b"after %d" % round_
            await _until_listeners(events, channel, 1)
            await events.publish(channel, message)
            while (received := await _next(first)) == MISSED:
                pass
            assert received == message


async def test_a_channel_that_was_left_stays_left_after_a_cut(events: Events, channel: str) -> None:
    async with events.listen(channel) as receive:
        async with events.listen(channel + "2"):
            pass
        await _cut(events)
        assert await _next(receive) == MISSED
        await _until_listeners(events, channel, 1)
        assert await _listeners(events, channel + "2") == 0


async def test_a_slow_reader_is_told_and_harms_nobody(events: Events, channel: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        # Many, since they are served in any order: some after the slow one.
        slow, *readers = [
            await stack.enter_async_context(events.listen(channel)) for _ in range(10)
        ]
        for low in range(0, 1_200, 100):
            messages = [b"%d" % number for number in range(low, low + 100)]
            # In one go, which keeps the order and is quick.
            pipeline = events.redis.pipeline(transaction=False)
            for message in messages:
                pipeline.publish(channel, message)
            await pipeline.execute()
            for fast in readers:
                assert [await _next(fast) for _ in messages] == messages
        assert await _next(slow) == MISSED
        await events.publish(channel, b"last")
        kept = []
        while not kept or kept[-1] != b"last":
            kept.append(await _next(slow))
        assert len(kept) < 1_000


async def test_a_lost_redis_loses_the_hint_and_nothing_else(unused_tcp_port: int) -> None:
    events = Events(f"redis://127.0.0.1:{unused_tcp_port}")
    await events.publish("anything", b"hint")
    await events.close()


async def test_who_was_told_to_leave_leaves_though_the_word_was_lost(
    events: Events, channel: str
) -> None:
    """As asyncio.wait_for may lose it before Python 3.12."""
    listening = asyncio.Event()

    async def listen() -> None:
        async with events.listen(channel) as receive:
            listening.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await receive()

    task = asyncio.create_task(listen())
    await listening.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
