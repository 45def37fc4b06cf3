"""How many live subscriptions a user has, at all API processes together."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator

from redis.asyncio import Redis
from redis.exceptions import RedisError

# Who holds a place says so again and again; one that nobody holds any more is free after a while.
_FREE_SECONDS, _BEAT_SECONDS = 90, 30


class LivePlaces:
    """`most` for each user; 0 counts none. While Redis is away everybody has a place."""

    def __init__(self, redis: Redis, most: int) -> None:
        self._redis, self.most = redis, most

    async def take(self, user_id: str) -> str | None:
        """A place, to be held at once; None where all are taken."""
        if not self.most:
            return ""
        key, place = _key(user_id), secrets.token_hex(8)
        try:
            async with self._redis.pipeline() as pipe:
                pipe.zremrangebyscore(key, 0, time.time())
                pipe.zadd(key, {place: time.time() + _FREE_SECONDS})
                pipe.zcard(key)
                pipe.expire(key, _FREE_SECONDS)
                _, _, taken, _ = await pipe.execute()
            if taken > self.most:
                await self._redis.zrem(key, place)
                return None
        except (RedisError, OSError):
            return ""
        return place

    @contextlib.asynccontextmanager
    async def held(self, user_id: str, place: str) -> AsyncIterator[None]:
        """For as long as this is open."""
        if not place:
            yield
            return
        beating = asyncio.create_task(self._beat(user_id, place))
        try:
            yield
        finally:
            beating.cancel()
            with contextlib.suppress(RedisError, OSError):
                await self._redis.zrem(_key(user_id), place)

    async def _beat(self, user_id: str, place: str) -> None:
        key = _key(user_id)
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            with contextlib.suppress(RedisError, OSError):
                await self._redis.zadd(key, {place: time.time() + _FREE_SECONDS})
                await self._redis.expire(key, _FREE_SECONDS)


def _key(user_id: str) -> str:
    return f"live:{user_id}"
