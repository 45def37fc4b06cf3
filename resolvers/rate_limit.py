"""What a caller may spend, and what an operation spends."""

from math import ceil

from resolvers.scope import Scope
from samplemind.domain.errors import RateLimited
from samplemind.domain.ids import now
from samplemind.domain.rate_limit import Allowance


async def spend(scope: Scope, points: int) -> None:
    """Raises RateLimited where the caller has fewer left in this minute."""
    if await scope.parts.rate_limits.spend(scope.owner_id, points):
        return
    left = await allowance(scope)
    seconds = max(ceil((left.reset_at - now()).total_seconds()), 1)
    raise RateLimited(
        f"This costs {points:,} points and you have {left.remaining:,} of {left.limit:,} left in "
        f"this minute: come again in {seconds} seconds.",
        retry_after=seconds,
    )


async def allowance(scope: Scope) -> Allowance:
    """What is left, after what this operation has spent."""
    return await scope.parts.rate_limits.allowance(scope.owner_id)
