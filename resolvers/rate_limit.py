"""What a caller may spend, and what an operation spends."""

from math import ceil

from resolvers.scope import Scope
from samplemind.domain.errors import RateLimited
from samplemind.domain.rate_limit import Allowance


async def spend(scope: Scope, points: int) -> None:
    """Raises RateLimited where the caller, or the address, has fewer left in this minute."""
    refusal = await scope.parts.rate_limits.spend(*_who(scope), points)
    if refusal is None:
        return
    seconds = max(ceil(refusal.seconds), 1)
    raise RateLimited(
        f"This costs {points:,} points, which is more than is left of the {refusal.limit:,} "
        f"{refusal.what} in a minute: come again in {seconds} seconds.",
        retry_after=seconds,
    )


async def allowance(scope: Scope) -> Allowance:
    """What is left, after what this operation has spent."""
    return await scope.parts.rate_limits.allowance(*_who(scope))


def _who(scope: Scope) -> tuple[str | None, str]:
    return scope.viewer and scope.viewer.id, scope.caller.address
