"""What has ended is known to every process, at once and later, and is forgotten in its time."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from samplemind.auth import endings
from samplemind.auth.endings import Endings
from samplemind.domain.errors import PartUnavailable
from samplemind.events import Events
from samplemind.settings import Settings


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[tuple[Endings, Endings]]:
    """As two processes have them, both of which follow."""
    events = [Events(settings.redis_url) for _ in range(2)]
    both = Endings(events[0]), Endings(events[1])
    following = [asyncio.create_task(each.follow()) for each in both]
    for each in both:
        await each.has_ended(["nothing"])
    yield both
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    for each in events:
        await each.close()


async def test_what_ends_is_known_everywhere(two: tuple[Endings, Endings], owner_id: str) -> None:
    here, there = two
    waiting = asyncio.create_task(there.wait(["another", owner_id]))
    assert not await here.has_ended([owner_id])
    await here.end(owner_id)
    assert await here.has_ended(["another", owner_id])
    await asyncio.wait_for(waiting, 10)
    assert await there.has_ended([owner_id])
    assert not await there.has_ended(["another"])
    await there.wait([owner_id])


async def test_what_had_ended_is_known_to_who_starts_later(
    two: tuple[Endings, Endings], settings: Settings, owner_id: str
) -> None:
    await two[0].end(owner_id)
    events = Events(settings.redis_url)
    assert await Endings(events).has_ended([owner_id])
    await events.close()


async def test_what_ends_while_it_is_read_is_not_lost(
    two: tuple[Endings, Endings], owner_id: str
) -> None:
    """Told by the other before it stands in what is read."""
    here, _ = two
    here._note(owner_id)
    await here._read()
    assert await here.has_ended([owner_id])


async def test_it_is_forgotten_when_no_token_is_good_any_more(
    two: tuple[Endings, Endings], owner_id: str
) -> None:
    here, there = two
    # Both have heard of it, so that neither hears of it later.
    await here.end(owner_id)
    await there.wait([owner_id])
    assert endings._KEPT_SECONDS > 15 * 60
    passed = time.time() - 1
    await here._events.redis.zadd(endings._KEY, {owner_id: passed})
    here._ended[owner_id] = passed
    await here._read()
    assert not await here.has_ended([owner_id])
    assert await here._events.redis.zscore(endings._KEY, owner_id) is None


async def test_without_redis_nobody_is_let_in_and_nothing_said_to_have_ended(
    owner_id: str,
) -> None:
    events = Events("redis://127.0.0.1:1")
    gone = Endings(events)
    with pytest.raises(PartUnavailable):
        await gone.has_ended([owner_id])
    with pytest.raises(PartUnavailable):
        await gone.end(owner_id)
    await events.close()
