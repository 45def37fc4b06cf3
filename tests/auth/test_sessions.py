"""Sessions in Redis: all of a user's are known as theirs for as long as they last."""

from collections.abc import AsyncIterator

import pytest

from samplemind.auth.endings import Endings
from samplemind.auth.sessions import Sessions
from samplemind.domain.errors import SessionEnded
from samplemind.events import Events
from samplemind.settings import Settings

_DAY = 24 * 3_600


@pytest.fixture
async def events(settings: Settings) -> AsyncIterator[Events]:
    events = Events(settings.redis_url)
    yield events
    await events.close()


async def test_one_that_is_refreshed_is_ended_with_all_others(
    events: Events, owner_id: str
) -> None:
    """Also long after anybody has signed in anew: a new password must put a thief out."""
    sessions = Sessions(events.redis, Endings(events))
    id_, generation = await sessions.begin(owner_id)
    # As on the last of 30 days.
    await events.redis.expire(f"sessions:{owner_id}", _DAY)
    _, generation = await sessions.rotate(id_, generation)
    lasts = [await events.redis.ttl(name) for name in (f"session:{id_}", f"sessions:{owner_id}")]
    assert min(lasts) > 29 * _DAY
    # As after them.
    await events.redis.delete(f"sessions:{owner_id}")
    _, generation = await sessions.rotate(id_, generation)
    await sessions.end_all(owner_id)
    with pytest.raises(SessionEnded):
        await sessions.rotate(id_, generation)
