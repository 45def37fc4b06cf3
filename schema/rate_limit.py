"""What a caller may spend, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from samplemind.domain.rate_limit import Allowance


@strawberry.type(description="The points that you may spend in a minute.")
class RateLimit:
    limit: int = strawberry.field(description="How many there are in all.")
    remaining: int = strawberry.field(description="How many are left, after this operation.")
    reset_at: datetime = strawberry.field(description="When all of them are there again.")
    cost: int = strawberry.field(
        description="What this operation has cost, as `extensions.cost.requested` says it too."
    )

    @classmethod
    def of(cls, model: Allowance, cost: int) -> Self:
        return cls(limit=model.limit, remaining=model.remaining, reset_at=model.reset_at, cost=cost)
