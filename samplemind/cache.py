"""What is dear and rarely changes, kept in Redis: right, only slower, with Redis empty or gone."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

import cashews
import orjson
import structlog
from cashews.exceptions import CacheBackendInteractionError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from samplemind import metrics

_log = structlog.get_logger(__name__)

_PREFIX = "samplemind:cache:"
_TIMEOUT_SECONDS = 1

_DAY = 24 * 3_600

T = TypeVar("T")


def _state_key(name: str) -> str:
    return f"{_PREFIX}state:{name}"


def _new_state() -> bytes:
    # By chance rather than by counting: an emptied Redis must not begin again with a used one.
    return secrets.token_hex(8).encode()


class Cache:
    """Values are what JSON can hold: numbers, texts, lists and dictionaries of them."""

    def __init__(self, url: str, *, avoid_seconds: float = 5) -> None:
        """A Redis that hangs costs one timeout in `avoid_seconds`, and not one for each value."""
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
        self._avoid_seconds = avoid_seconds
        self._avoid_until = 0.0
        self._untold: set[str] = set()

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

    async def find(self, key: str) -> Any | None:
        """The value kept under `key`, None where there is none."""
        kept = await self._ask(self._cashews.get, _PREFIX + key)
        return None if kept is None else orjson.loads(kept)

    async def keep(self, key: str, value: object, *, seconds: float) -> None:
        """Keeps a value, which may be lost at any time."""
        await self._ask(self._cashews.set, _PREFIX + key, orjson.dumps(value), expire=seconds)

    async def remove(self, key: str) -> None:
        """Forgets a value. One that Redis could not be asked to forget ends with its time."""
        await self._ask(self._cashews.delete, _PREFIX + key)

    async def get_or_make_of(
        self, name: str, key: str, make: Callable[[], Awaitable[T]], *, seconds: float
    ) -> T:
        """As get_or_make, of something that changes: what was kept before `changed(name)` is not
        found after it. Nothing is kept while Redis cannot say what has changed."""
        state = await self._state(name)
        if state is None:
            return await make()
        return await self.get_or_make(f"{name}:{state}:{key}", make, seconds=seconds)

    async def changed(self, name: str) -> None:
        """To be called after each change of what `get_or_make_of` keeps something of.

        A change that Redis could not be told of is told again before this process reads; others
        may meet what was kept until its time is over.
        """
        self._untold.add(name)
        for each in tuple(self._untold):
            if not await self._ask(self._cashews.set, _state_key(each), _new_state(), expire=_DAY):
                return
            self._untold.discard(each)

    async def forget(self, owner_id: str) -> None:
        """Everything whose key names this owner between colons."""
        await self._ask(self._cashews.delete_match, f"{_PREFIX}*:{owner_id}:*")
        await self._ask(self._cashews.delete, _state_key(f"files:{owner_id}"))

    async def close(self) -> None:
        await self._cashews.close()

    async def _state(self, name: str) -> str | None:
        """A name for the present state, never used before; None where Redis does not answer."""
        if name in self._untold:
            await self.changed(name)
            if name in self._untold:
                return None
        # Not shared with who asks meanwhile: the answer must be younger than the question.
        key = _state_key(name)
        if (kept := await self._ask(self._cashews.get, key)) is None:
            await self._ask(self._cashews.set, key, _new_state(), expire=_DAY, exist=False)
            kept = await self._ask(self._cashews.get, key)
        return kept and kept.decode()

    async def _read_or_make(
        self, key: str, make: Callable[[], Awaitable[object]], seconds: float
    ) -> object:
        kept = await self._ask(self._cashews.get, _PREFIX + key)
        metrics.cache_reads.labels("no" if kept is None else "yes").inc()
        if kept is not None:
            return orjson.loads(kept)
        made = await make()
        await self.keep(key, made, seconds=seconds)
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
            self._avoid_until = time.monotonic() + self._avoid_seconds
            return None
