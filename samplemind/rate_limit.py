"""How many points a caller has spent in this minute: counted in Redis, for all API processes."""

import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import redis.asyncio as redis
import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from samplemind.domain.rate_limit import Allowance

_log = structlog.get_logger(__name__)

T = TypeVar("T")

_WITHOUT_LIMIT = 2**31 - 1

# Nobody waits for a count: a Redis that does not answer at once is left alone for a while.
_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 5


class RateLimits:
    """A minute begins with a caller's first point and is that caller's own.

    Without Redis nothing is counted and nobody is refused.
    """

    def __init__(self, url: str, points: int) -> None:
        """`points` a minute; 0 counts nothing and refuses nobody."""
        self._points = points
        self._item = RateLimitItemPerMinute(points or _WITHOUT_LIMIT)
        self._pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=20,
            timeout=_PATIENCE_SECONDS,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            key_prefix="points",
            connection_pool=self._pool,  # pyright: ignore
        )
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._lost = False
        self._alone_until = 0.0

    async def spend(self, caller: str, points: int) -> bool:
        """Whether the caller had the points; where not, nothing is spent."""
        if not self._points:
            return True
        if await self._counted(self._limiter.hit(self._item, caller, cost=points), True):
            return True
        key = self._item.key_for(caller)
        await self._counted(self._storage.incr(key, self._item.get_expiry(), amount=-points), 0)
        return False

    async def allowance(self, caller: str) -> Allowance:
        limit = self._item.amount
        unused = (time.time() + self._item.get_expiry(), limit)
        if not self._points:
            reset, remaining = unused
        else:
            stats = self._limiter.get_window_stats(self._item, caller)
            reset, remaining = await self._counted(stats, unused)
        return Allowance(limit, remaining, datetime.fromtimestamp(int(reset) + 1, UTC))

    async def close(self) -> None:
        await self._pool.aclose()

    async def _counted(self, asked: Coroutine[Any, Any, T], otherwise: T) -> T:
        """What Redis answers, or `otherwise` while there is none."""
        if time.monotonic() < self._alone_until:
            asked.close()
            return otherwise
        try:
            answer = await asked
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
