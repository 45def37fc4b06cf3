"""What is dear and rarely changes, kept in Redis: right, only slower, with Redis empty or gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import cashews
import orjson
import structlog
from cashews.exceptions import CacheBackendInteractionError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_log = structlog.get_logger(__name__)

_PREFIX = "samplemind:cache:"
_TIMEOUT_SECONDS = 1
# A Redis that hangs costs one timeout in this time, and not one for each value.
_AVOID_SECONDS = 5

T = TypeVar("T")


class Cache:
    """Values are what JSON can hold: numbers, texts, lists and dictionaries of them."""

    def __init__(self, url: str) -> None:
        self._cashews = cashews.Cache()
        self._cashews.setup(
            url,
            suppress=False,
            pickle_type="null",
            check_repr=False,
            client_name="samplemind-cache",
            max_connections=50,
            wait_for_connection_timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            # Once more, since a connection of before Redis started anew is dead.
            retry=Retry(NoBackoff(), 1),
        )
        self._making: dict[str, asyncio.Task[Any]] = {}
        self._avoid_until = 0.0

    async def get_or_make(self, key: str, make: Callable[[], Awaitable[T]], *, seconds: float) -> T:
        """The value kept under `key`, else what `make` answers, which is kept for `seconds`.

        Who asks while it is being made waits for the same value. What `make` raises is raised,
        and nothing is kept then.
        """
        if key not in self._making:
            # A task of its own: the first who asks may leave, and others wait for it.
            self._making[key] = asyncio.create_task(self._read_or_make(key, make, seconds))
            self._making[key].add_done_callback(lambda _: self._making.pop(key))
        return cast("T", await asyncio.shield(self._making[key]))

    async def remove(self, key: str) -> None:
        """Forgets a value. One that Redis could not be asked to forget ends with its time."""
        await self._ask(self._cashews.delete, _PREFIX + key)

    async def close(self) -> None:
        await self._cashews.close()

    async def _read_or_make(
        self, key: str, make: Callable[[], Awaitable[object]], seconds: float
    ) -> object:
        kept = await self._ask(self._cashews.get, _PREFIX + key)
        if kept is not None:
            return orjson.loads(kept)
        made = await make()
        await self._ask(self._cashews.set, _PREFIX + key, orjson.dumps(made), expire=seconds)
        return made

    async def _ask(self, command: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """None where Redis does not answer."""
        if time.monotonic() < self._avoid_until:
            return None
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await command(*args, **kwargs)
        except (CacheBackendInteractionError, TimeoutError) as error:
            if time.monotonic() >= self._avoid_until:
                reason = str(error.__cause__ or "it does not answer")
                _log.warning("working without the cache", error=reason)
            self._avoid_until = time.monotonic() + _AVOID_SECONDS
            return None
