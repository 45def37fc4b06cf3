"""How often somebody tries to get in: by account, and by address, whether the account exists or
not."""

import hashlib

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from samplemind.domain.errors import PartUnavailable, TooManyAttempts
from samplemind.rate_limit import network, windows
from samplemind.settings import Settings

_MINUTES = 15


class Attempts:
    """Unlike points, these are not granted while Redis is away."""

    def __init__(self, settings: Settings) -> None:
        self._of_account = _item(settings.attempts_per_account, "account")
        self._of_address = _item(settings.attempts_per_address, "address")
        self._storage, self._pool = windows(settings.redis_url)
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def count(self, address: str, email: str | None = None) -> None:
        """One more from this address, and at the account. Raises TooManyAttempts, and
        PartUnavailable while they cannot be counted."""
        try:
            granted = await self._limiter.hit(self._of_address, network(address))
            if granted and email:
                granted = await self._limiter.hit(self._of_account, _named(email))
        except (RedisError, OSError) as error:
            raise PartUnavailable("Nobody can sign in right now; try again.") from error
        if not granted:
            message = f"Too many attempts to sign in: come again in {_MINUTES} minutes."
            raise TooManyAttempts(message)

    async def forget(self, email: str) -> None:
        """Somebody has got in: what they tried before was them."""
        await self._limiter.clear(self._of_account, _named(email))

    async def close(self) -> None:
        await self._pool.aclose()


def _item(most: int, what: str) -> RateLimitItem:
    return RateLimitItemPerMinute(most, _MINUTES, f"attempts-{what}")


def _named(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()
