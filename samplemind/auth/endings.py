"""Sessions, API keys and people that have ended, known to every process.

An access token is good until its time is over, so what ends before is kept in Redis for as long,
and told to all processes, each of which remembers it: a request asks no Redis for it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import structlog
from redis.exceptions import RedisError

from samplemind.auth.tokens import ACCESS
from samplemind.domain.errors import PartUnavailable
from samplemind.events import MISSED, Events

_log = structlog.get_logger(__name__)

_KEY = _CHANNEL = "endings"

_AGAIN_SECONDS = 1

# As long as an access token, or what a process remembers of a caller, can be good.
_KEPT_SECONDS = (ACCESS + timedelta(minutes=5)).total_seconds()


def session_name(id_: str) -> str:
    return f"session:{id_}"


def api_key_name(id_: str) -> str:
    return f"key:{id_}"


def user_name(id_: str) -> str:
    return f"user:{id_}"


class Endings:
    """What ends is known by a name: `session_name` and its like."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._ended: dict[str, float] = {}
        """Until when each has to be known."""
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._is_known = False

    async def end(self, name: str) -> None:
        """For every process and every live subscription. Raises PartUnavailable."""
        try:
            await self._events.redis.zadd(_KEY, {name: _until()})
        except RedisError as error:
            raise PartUnavailable("Sessions cannot be ended right now; try again.") from error
        self._note(name)
        await self._events.publish(_CHANNEL, name.encode())

    async def has_ended(self, names: Collection[str]) -> bool:
        """Raises PartUnavailable where this process could not learn yet what has."""
        if not self._is_known:
            await self._read()
        if not self._is_known:
            raise PartUnavailable("Sessions are not known right now; try again.")
        return any(name in self._ended for name in names)

    async def wait(self, names: Collection[str]) -> None:
        """Until one of them ends."""
        event = asyncio.Event()
        for name in names:
            self._waiting[name].add(event)
        try:
            if not any(name in self._ended for name in names):
                await event.wait()
        finally:
            for name in names:
                self._waiting[name].discard(event)
                if not self._waiting[name]:
                    del self._waiting[name]

    async def follow(self) -> None:
        """Hears of what ends elsewhere, for ever; reads it anew where something was missed."""
        while True:
            try:
                async with self._events.listen(_CHANNEL) as receive:
                    message = MISSED
                    while True:
                        if message == MISSED:
                            await self._read()
                        else:
                            self._note(message.decode())
                        message = await receive()
            except (RedisError, OSError):
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _read(self) -> None:
        redis, now = self._events.redis, time.time()
        try:
            await redis.zremrangebyscore(_KEY, 0, now)
            found: Any = await redis.zrange(_KEY, 0, -1, withscores=True)
        except (RedisError, OSError) as error:
            _log.warning("ended sessions could not be read", error=str(error))
            return
        for name, until in found:
            self._note(name.decode(), until)
        for name in [name for name, until in self._ended.items() if until < now]:
            del self._ended[name]
        self._is_known = True

    def _note(self, name: str, until: float | None = None) -> None:
        self._ended[name] = until or _until()
        for event in self._waiting.get(name, ()):
            event.set()


def _until() -> float:
    return time.time() + _KEPT_SECONDS
