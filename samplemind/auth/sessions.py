"""Sessions in Redis: how often each was refreshed, so that a refresh token is good once."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from samplemind.auth.endings import Endings, session_name
from samplemind.auth.tokens import REFRESH, session_ended
from samplemind.domain.errors import PartUnavailable, SessionEnded

_SECONDS = int(REFRESH.total_seconds())

# One step, so that of two who show the same token one is first: whose it is and the new generation,
# which is 0 where the token was spent; nothing where there is no such session.
_ROTATE = """
local user, generation = unpack(redis.call('HMGET', KEYS[1], 'user', 'generation'))
if not user then return false end
if generation ~= ARGV[1] then return {user, 0} end
redis.call('EXPIRE', KEYS[1], ARGV[2])
-- Known as the user's for as long as it lasts, so that ending all of them ends this one.
redis.call('SADD', ARGV[3] .. user, ARGV[4])
redis.call('EXPIRE', ARGV[3] .. user, ARGV[2])
return {user, redis.call('HINCRBY', KEYS[1], 'generation', 1)}
"""


class TokenReused(SessionEnded):
    """A refresh token was shown twice: one of the two who have it stole it. `user_id` is whose."""

    def __init__(self, user_id: str) -> None:
        ended = session_ended()
        super().__init__(ended.message, field=ended.field)
        self.user_id = user_id


class Sessions:
    """Each lasts 30 days from its last refresh. Raises PartUnavailable while Redis is away."""

    def __init__(self, redis: Redis, endings: Endings) -> None:
        self._redis = redis
        self._endings = endings
        self._rotate = redis.register_script(_ROTATE)

    async def begin(self, user_id: str) -> tuple[str, int]:
        """A new session's id and its generation."""
        id_, generation = secrets.token_urlsafe(16), 1
        async with _answering(), self._redis.pipeline() as pipe:
            fields: Any = {"user": user_id, "generation": generation}
            pipe.hset(_key(id_), mapping=fields)
            pipe.expire(_key(id_), _SECONDS)
            pipe.sadd(_of_user(user_id), id_)
            pipe.expire(_of_user(user_id), _SECONDS)
            await pipe.execute()
        return id_, generation

    async def rotate(self, id_: str, generation: int) -> tuple[str, int]:
        """Spends a refresh token: whose the session is, and the next generation.

        Raises SessionEnded; TokenReused for a spent one, which ends the session.
        """
        async with _answering():
            known = [generation, _SECONDS, _of_user(""), id_]
            found = await self._rotate([_key(id_)], known)
        if not found:
            raise session_ended()
        user_id, following = found[0].decode(), found[1]
        if not following:
            await self.end(user_id, id_)
            raise TokenReused(user_id)
        return user_id, following

    async def end(self, user_id: str, id_: str) -> None:
        """Its tokens are good for nothing from now on, and its live subscriptions end."""
        async with _answering():
            await self._redis.delete(_key(id_))
            await self._redis.srem(_of_user(user_id), id_)  # pyright: ignore[reportGeneralTypeIssues]
        await self._endings.end(session_name(id_))

    async def end_all(self, user_id: str) -> None:
        """Every session of a user."""
        async with _answering():
            ids: Any = await self._redis.smembers(_of_user(user_id))  # pyright: ignore[reportGeneralTypeIssues]
        for id_ in ids:
            await self.end(user_id, id_.decode())


def _key(id_: str) -> str:
    return f"session:{id_}"


def _of_user(user_id: str) -> str:
    return f"sessions:{user_id}"


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as error:
        raise PartUnavailable("Sessions are not available right now; try again.") from error
