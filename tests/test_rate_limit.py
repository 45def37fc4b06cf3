"""Points of a minute: each caller's own, spent by all processes together, gone with Redis."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from samplemind.rate_limit import RateLimits, network
from samplemind.settings import Settings

_GONE = "redis://127.0.0.1:1"


def _limiting(settings: Settings, points: int, **others: int) -> Settings:
    return settings.model_copy(update={"rate_limit": points, **others})


@pytest.fixture
async def limits(settings: Settings):
    limits = RateLimits(_limiting(settings, 100))
    yield limits
    await limits.close()


async def test_what_is_spent_is_gone(limits: RateLimits, owner_id: str) -> None:
    assert await limits.spend(owner_id, "", 60) is None
    left = await limits.allowance(owner_id, "")
    assert (left.limit, left.remaining) == (100, 40)
    assert timedelta(0) < left.reset_at - datetime.now(UTC) <= timedelta(seconds=121)
    assert await limits.spend(owner_id, "", 40) is None
    assert (await limits.allowance(owner_id, "")).remaining == 0
    assert await limits.spend(owner_id, "", 1)


async def test_what_is_refused_costs_nothing(limits: RateLimits, owner_id: str) -> None:
    assert await limits.spend(owner_id, "", 60) is None
    for _ in range(3):
        assert await limits.spend(owner_id, "", 41)
    assert (await limits.allowance(owner_id, "")).remaining == 40
    assert await limits.spend(owner_id, "", 40) is None


async def test_callers_do_not_spend_each_others(limits: RateLimits, owner_id: str) -> None:
    assert await limits.spend(owner_id, "", 100) is None
    assert await limits.spend(owner_id + "b", "", 100) is None
    assert await limits.spend(owner_id, "", 1)


async def test_processes_spend_together(
    limits: RateLimits, settings: Settings, owner_id: str
) -> None:
    other = RateLimits(_limiting(settings, 100))
    assert await limits.spend(owner_id, "", 60) is None
    assert await other.spend(owner_id, "", 60)
    await other.close()


async def test_all_are_there_again_when_the_window_has_passed(
    limits: RateLimits, owner_id: str
) -> None:
    assert await limits.spend(owner_id, "", 100) is None
    redis = limits._storage.bridge.get_connection()  # pyright: ignore
    [key] = [key async for key in redis.scan_iter(f"*{owner_id}*")]
    # A window weighs in full for a minute, then less by and by for another.
    assert 110_000 < await redis.pttl(key) <= 120_000
    await redis.pexpire(key, 30_000)
    refusal = await limits.spend(owner_id, "", 60)
    assert refusal
    assert (refusal.what, refusal.limit) == ("points", 100)
    assert refusal.seconds == pytest.approx(6, abs=1)
    assert await limits.spend(owner_id, "", 40) is None
    async for each in redis.scan_iter(f"*{owner_id}*"):
        await redis.delete(each)
    assert (await limits.allowance(owner_id, "")).remaining == 100


async def test_redis_is_asked_once_for_several_requests(settings: Settings, owner_id: str) -> None:
    limits = RateLimits(_limiting(settings, 200_000))
    redis = limits._storage.bridge.get_connection()  # pyright: ignore
    assert await limits.spend(owner_id, "", 100) is None
    [key] = [key async for key in redis.scan_iter(f"*{owner_id}*")]
    for _ in range(9):
        assert await limits.spend(owner_id, "", 100) is None
        assert int(await redis.get(key)) == 1_000
    assert (await limits.allowance(owner_id, "")).remaining == 199_000
    assert await limits.spend(owner_id, "", 100) is None
    assert int(await redis.get(key)) == 2_000
    assert (await limits.allowance(owner_id, "")).remaining == 198_900
    await limits.close()


async def test_what_is_paid_ahead_lets_nobody_pass_the_limit(
    settings: Settings, owner_id: str
) -> None:
    both = [RateLimits(_limiting(settings, 10_000)) for _ in range(2)]
    granted = 0
    for _ in range(100):
        answers = await asyncio.gather(*(each.spend(owner_id, "", 77) for each in both))
        granted += 77 * answers.count(None)
    # But for what either has paid ahead, all of it could be spent.
    assert 10_000 - 2 * (50 + 77) <= granted <= 10_000
    for each in both:
        await each.close()


async def test_requests_are_counted_besides(settings: Settings, owner_id: str) -> None:
    limits = RateLimits(_limiting(settings, 100, request_limit=2))
    for _ in range(2):
        assert await limits.spend(owner_id, "", 1) is None
    refusal = await limits.spend(owner_id, "", 1)
    assert refusal
    assert (refusal.what, refusal.limit) == ("requests", 2)
    assert 60 < refusal.seconds <= 121
    # The points of the refused request were given back.
    assert (await limits.allowance(owner_id, "")).remaining == 98
    await limits.close()


async def test_an_address_is_held_to_its_own_whoever_asks(
    settings: Settings, owner_id: str
) -> None:
    """An address is text here: real ones would be shared with other tests."""
    limits = RateLimits(_limiting(settings, 0, address_rate_limit=10, address_request_limit=5))
    address = f"from-{owner_id}"
    assert await limits.spend(None, address, 4) is None
    assert await limits.spend("ada", address, 4) is None
    refusal = await limits.spend("bob", address, 4)
    assert refusal
    assert (refusal.what, refusal.limit) == ("points", 10)
    assert await limits.spend("bob", f"{address}-2", 4) is None
    assert (await limits.allowance(None, address)).remaining == 2
    await limits.close()


async def test_after_redis_has_started_anew_counting_goes_on(
    limits: RateLimits, owner_id: str
) -> None:
    redis = limits._storage.bridge.get_connection()  # pyright: ignore
    assert await limits.spend(owner_id, "", 60) is None
    await redis.script_flush()
    assert await limits.spend(owner_id, "", 60)


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_a_network_is_whose_an_address_is(address: str, whose: str) -> None:
    assert network(address) == whose


async def test_none_are_counted_where_there_is_no_limit(settings: Settings, owner_id: str) -> None:
    limits = RateLimits(_limiting(settings, 0))
    for _ in range(3):
        assert await limits.spend(owner_id, "", 2**31 - 1) is None
    left = await limits.allowance(owner_id, "")
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
    limits = RateLimits(Settings(redis_url=silent if kind == "silent" else _GONE, rate_limit=100))
    began = time.monotonic()
    with structlog.testing.capture_logs() as logs:
        for _ in range(20):
            assert await limits.spend(owner_id, "", 70) is None
        left = await limits.allowance(owner_id, "")
    assert (left.limit, left.remaining) == (100, 100)
    assert left.reset_at > datetime.now(UTC)
    assert [line["log_level"] for line in logs] == ["warning"]
    # One wait for all of them.
    assert time.monotonic() - began < 3
    await limits.close()
