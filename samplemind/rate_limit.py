"""What callers have spent of late: sliding windows in Redis, for all API processes together."""

import ipaddress
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import redis.asyncio as redis
import structlog
from cachetools import TTLCache
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from samplemind.domain.rate_limit import Allowance
from samplemind.settings import Settings

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_WITHOUT_LIMIT = 2**31 - 1

# Nobody waits for a count: a Redis that does not answer at once is left alone for a while.
_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 5

# Some requests' worth.
_MOST_AHEAD = {"points": 1_000, "requests": 10}
_PREPAID_SECONDS = 10


def network(address: str) -> str:
    """Whose an address is: of IPv6, everybody has 2^64 of their own."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    wide = parsed.version == 6 and not parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if wide else address


def windows(url: str) -> tuple[RedisStorage, redis.BlockingConnectionPool]:
    """Where counts are kept; the pool is to be closed."""
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=20,
        timeout=_PATIENCE_SECONDS,
        socket_timeout=_PATIENCE_SECONDS,
        socket_connect_timeout=_PATIENCE_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    storage = RedisStorage(
        f"async+{url}",
        implementation="redispy",
        key_prefix="points",
        connection_pool=pool,  # pyright: ignore
    )
    return storage, pool


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is spent too much of: `what` of `limit` in a minute; `seconds` until there is enough."""

    what: str
    limit: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Count:
    """`amount` more of what `item` limits, for one caller or address."""

    what: str
    item: RateLimitItem
    of: str
    amount: int

    @property
    def key(self) -> str:
        return self.item.key_for(self.of)


class RateLimits:
    """Points and requests of a minute, of each user and of each address.

    A limit of 0 counts nothing. Without Redis nothing is counted and nobody is refused.
    """

    def __init__(self, settings: Settings) -> None:
        self._points = settings.rate_limit
        self._of_user = _items(settings.rate_limit, settings.request_limit)
        self._of_address = _items(settings.address_rate_limit, settings.address_request_limit)
        self._storage, self._pool = windows(settings.redis_url)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)
        # By key, what this process has paid for requests that may come; forgotten soon after.
        self._prepaid: TTLCache[str, int] = TTLCache(100_000, _PREPAID_SECONDS)
        self._lost = False
        self._alone_until = 0.0

    async def spend(self, user_id: str | None, address: str, points: int) -> Refusal | None:
        """Spends the points of one request, unless there are too few: then nothing is spent."""
        counts = self._counts(user_id, address, points)
        prepaid = [self._take_prepaid(count) for count in counts]
        due = [
            replace(count, amount=count.amount - paid)
            for count, paid in zip(counts, prepaid, strict=True)
            if count.amount > paid
        ]
        if not due:
            return None
        # A little more than is due, so that the next requests need not ask.
        granted = await self._granted([replace(each, amount=_ahead(each)) for each in due])
        if not all(granted):
            if any(_ahead(each) > each.amount for each in due):
                await self._give_back_granted(due, granted, ahead=True)
                granted = await self._granted(due)
            if not all(granted):
                await self._give_back_granted(due, granted, ahead=False)
                for count, paid in zip(counts, prepaid, strict=True):
                    self._prepay(count.key, paid)
                refused = due[granted.index(False)]
                seconds = await self._counted(lambda: self._seconds_until(refused), 1.0)
                return Refusal(refused.what, refused.item.amount, seconds)
            return None
        for each in due:
            self._prepay(each.key, _ahead(each) - each.amount)
        return None

    async def allowance(self, user_id: str | None, address: str) -> Allowance:
        """The points of a user; those of the address where there is none."""
        points = self._of_user if user_id else self._of_address
        found = next((item for what, item in points if what == "points"), None)
        limit, remaining, seconds = (found.amount if found else _WITHOUT_LIMIT), None, 60.0
        if found:
            key = _Count("points", found, user_id or network(address), 0).key
            window = await self._counted(lambda: self._window(key, found), None)
            if window:
                before, before_ends, spent, ends = window
                spent -= self._prepaid.get(key, 0)
                remaining = limit - int(before * before_ends / found.get_expiry()) - spent
                seconds = (ends if spent else before_ends) or 0.0
        reset_at = datetime.fromtimestamp(int(time.time() + seconds) + 1, UTC)
        return Allowance(limit, limit if remaining is None else max(remaining, 0), reset_at)

    async def close(self) -> None:
        await self._pool.aclose()

    def _counts(self, user_id: str | None, address: str, points: int) -> list[_Count]:
        spent = {"points": points, "requests": 1}
        counts = []
        if user_id:
            counts += [_Count(what, item, user_id, spent[what]) for what, item in self._of_user]
        if self._of_address and address:
            of = network(address)
            counts += [_Count(what, item, of, spent[what]) for what, item in self._of_address]
        return counts

    def _take_prepaid(self, count: _Count) -> int:
        """What is paid of it already, which is taken."""
        there = self._prepaid.get(count.key, 0)
        taken = min(there, count.amount)
        if taken:
            self._prepaid[count.key] = there - taken
        return taken

    def _prepay(self, key: str, amount: int) -> None:
        if amount:
            self._prepaid[key] = self._prepaid.get(key, 0) + amount

    async def _granted(self, counts: Sequence[_Count]) -> list[bool]:
        return await self._counted(lambda: self._acquire(counts), [True] * len(counts))

    async def _give_back_granted(
        self, due: Sequence[_Count], granted: Sequence[bool], *, ahead: bool
    ) -> None:
        spent = [
            replace(each, amount=_ahead(each)) if ahead else each
            for each, is_granted in zip(due, granted, strict=True)
            if is_granted
        ]
        if spent:
            await self._counted(lambda: self._give_back(spent), None)

    async def _acquire(self, counts: Sequence[_Count]) -> list[bool]:
        """`limits` has a script for one window; here they go to Redis together."""
        bridge: Any = self._storage.bridge
        script = bridge.lua_acquire_sliding_window
        async with bridge.get_connection().pipeline(transaction=False) as pipe:
            for count in counts:
                item = count.item
                pipe.evalsha(
                    script.sha,
                    2,
                    *self._keys(count.key),
                    item.amount,
                    item.get_expiry(),
                    count.amount,
                )
            try:
                return [bool(found) for found in await pipe.execute()]
            except NoScriptError:
                # Redis has started anew: none of them was counted.
                return [
                    await self._limiter.hit(count.item, count.of, cost=count.amount)
                    for count in counts
                ]

    async def _give_back(self, counts: Sequence[_Count]) -> None:
        bridge: Any = self._storage.bridge
        async with bridge.get_connection().pipeline(transaction=False) as pipe:
            for count in counts:
                pipe.decrby(self._keys(count.key)[1], count.amount)
            await pipe.execute()

    async def _seconds_until(self, count: _Count) -> float:
        """Until there is enough, if nothing is spent meanwhile: the window before weighs less by
        and by, and then the present one does."""
        minute = count.item.get_expiry()
        before, before_ends, spent, ends = await self._window(count.key, count.item)
        free = count.item.amount - count.amount
        if free < 0:
            return 2.0 * minute
        if spent <= free:
            return max(before_ends - (free - spent) * minute / max(before, 1), 0.0)
        return max(ends - free * minute / spent, 0.0)

    async def _window(self, key: str, item: RateLimitItem) -> tuple[int, float, int, float]:
        """What was spent in the minute before, for how long that still weighs, what in this one,
        and when that ends to weigh."""
        return await self._storage.get_sliding_window(key, item.get_expiry())

    def _keys(self, key: str) -> tuple[str, str]:
        storage = self._storage
        keys = storage._previous_window_key(key), storage._current_window_key(key)
        previous, current = map(storage.bridge.prefixed_key, keys)
        return previous, current

    async def _counted(self, ask: Callable[[], Awaitable[T]], otherwise: T) -> T:
        """What Redis answers, or `otherwise` while there is none."""
        if time.monotonic() < self._alone_until:
            return otherwise
        try:
            answer = await ask()
        except (RedisError, OSError) as error:
            if not self._lost:
                _log.warning("points are not counted: Redis does not answer", error=str(error))
            self._lost = True
            self._alone_until = time.monotonic() + _PAUSE_SECONDS
            return otherwise
        if self._lost:
            _log.info("points are counted again")
        self._lost = False
        return answer


def _ahead(due: _Count) -> int:
    """What is asked of Redis at once: a two-hundredth of the limit at most, so that what is paid
    ahead and not used is next to nothing."""
    return max(due.amount, min(due.item.amount // 200, _MOST_AHEAD[due.what]))


def _items(points: int, requests: int) -> list[tuple[str, RateLimitItem]]:
    limits = (("points", points), ("requests", requests))
    # The namespace keeps the two apart: they may be as large.
    return [(what, RateLimitItemPerMinute(most, 1, what)) for what, most in limits if most]
