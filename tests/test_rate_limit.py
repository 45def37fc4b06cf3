"""Points of a minute: each caller's own, spent by all processes together, gone with Redis."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from samplemind.rate_limit import RateLimits
from samplemind.settings import Settings


@pytest.fixture
async def limits(settings: Settings):
    limits = RateLimits(settings.redis_url, 100)
    yield limits
    await limits.close()


async def test_what_is_spent_is_gone(limits: RateLimits, owner_id: str) -> None:
    assert await limits.spend(owner_id, 60)
    left = await limits.allowance(owner_id)
    assert (left.limit, left.remaining) == (100, 40)
    assert timedelta(0) < left.reset_at - datetime.now(UTC) <= timedelta(seconds=61)
    assert await limits.spend(owner_id, 40)
    assert (await limits.allowance(owner_id)).remaining == 0
    assert not await limits.spend(owner_id, 1)


async def test_what_is_refused_costs_nothing(limits: RateLimits, owner_id: str) -> None:
    assert await limits.spend(owner_id, 60)
    for _ in range(3):
        assert not await limits.spend(owner_id, 41)
    assert (await limits.allowance(owner_id)).remaining == 40
    assert await limits.spend(owner_id, 40)


async def test_callers_do_not_spend_each_others(limits: RateLimits, owner_id: str) -> None:
    assert await limits.spend(owner_id, 100)
    assert await limits.spend(owner_id + "b", 100)
    assert not await limits.spend(owner_id, 1)


async def test_processes_spend_together(
    limits: RateLimits, settings: Settings, owner_id: str
) -> None:
    other = RateLimits(settings.redis_url, 100)
    assert await limits.spend(owner_id, 60)
    assert not await other.spend(owner_id, 60)
    await other.close()


async def test_all_are_there_again_when_the_minute_has_ended(
    limits: RateLimits, settings: Settings, owner_id: str
) -> None:
    assert await limits.spend(owner_id, 100)
    redis = limits._storage.bridge.get_connection()  # pyright: ignore
    [key] = [key async for key in redis.scan_iter(f"*{owner_id}*")]
    assert 0 < await redis.ttl(key) <= 60
    await redis.pexpire(key, 1)
    while await redis.exists(key):
        pass
    assert (await limits.allowance(owner_id)).remaining == 100
    assert await limits.spend(owner_id, 100)


async def test_none_are_counted_where_there_is_no_limit(settings: Settings, owner_id: str) -> None:
    limits = RateLimits(settings.redis_url, 0)
    for _ in range(3):
        assert await limits.spend(owner_id, 2**31 - 1)
    left = await limits.allowance(owner_id)
    assert left.limit == left.remaining == 2**31 - 1
    await limits.close()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of something that takes connections and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("kind", ["gone", "silent"])
async def test_without_redis_nobody_is_refused_and_it_is_said_once(
    kind: str, silent: str, owner_id: str
) -> None:
    limits = RateLimits(silent if kind == "silent" else "redis://127.0.0.1:1", 100)
    began = time.monotonic()
    with structlog.testing.capture_logs() as logs:
        for _ in range(20):
            assert await limits.spend(owner_id, 70)
        left = await limits.allowance(owner_id)
    assert (left.limit, left.remaining) == (100, 100)
    assert left.reset_at > datetime.now(UTC)
    assert [line["log_level"] for line in logs] == ["warning"]
    # One wait for all of them.
    assert time.monotonic() - began < 3
    await limits.close()
