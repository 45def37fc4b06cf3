"""Providers that are left alone for a while: those that fail, and those that ask for it. All
processes know of it, through Redis; without Redis, each asks as if nothing had happened."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import cashews
from cashews.exceptions import CircuitBreakerOpen

from samplemind.domain.errors import AiUnavailable

T = TypeVar("T")

_PREFIX = "samplemind:ai"
_PERIOD = timedelta(minutes=1)
_ERRORS_PERCENT = 50
_LEAST_CALLS = 5
_TIMEOUT_SECONDS = 1


class Broken(AiUnavailable):
    """It was not even asked."""


class Breakers:
    def __init__(self, url: str, seconds: float, failures: tuple[type[Exception], ...]) -> None:
        """A provider of whose answers in a minute half are `failures` is left alone for
        `seconds`. If it fails again after that, it is left alone again at once."""
        self._seconds = seconds
        self._failures = failures
        self._redis = cashews.Cache()
        self._redis.setup(
            url,
            suppress=True,
            client_name="samplemind-ai",
            max_connections=20,
            wait_for_connection_timeout=_TIMEOUT_SECONDS,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
        )

    def guarded(self, name: str, ask: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T]]:
        """`ask`, which raises Broken while the breaker is open."""
        breaker = self._redis.circuit_breaker(
            errors_rate=_ERRORS_PERCENT,
            period=_PERIOD,
            ttl=timedelta(seconds=self._seconds),
            min_calls=_LEAST_CALLS,
            exceptions=self._failures,
            key=name,
            prefix=f"{_PREFIX}:breaker",
        )(ask)

        async def call(*args: Any) -> T:
            try:
                return await breaker(*args)
            except CircuitBreakerOpen:
                raise Broken(
                    f"{name} has failed too often of late: it is asked again in a while."
                ) from None

        return call

    async def is_open(self, name: str) -> bool:
        return bool(await self._redis.is_locked(f"{_PREFIX}:breaker:{name}:open"))

    async def pause(self, name: str, seconds: float) -> None:
        """The provider has asked to be left alone."""
        until = int(1_000 * (time.time() + seconds))
        lasts = timedelta(seconds=seconds)
        await self._redis.set(f"{_PREFIX}:pause:{name}", until, expire=lasts)

    async def pauses(self, name: str) -> float:
        """The seconds for which it asks to be left alone; 0 where it does not."""
        until = await self._redis.get(f"{_PREFIX}:pause:{name}")
        return max(until / 1_000 - time.time(), 0.0) if until else 0.0

    async def close(self) -> None:
        await self._redis.close()
