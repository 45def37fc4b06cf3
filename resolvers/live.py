"""What a caller watches live."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from resolvers.scope import Scope
from samplemind import metrics
from samplemind.domain.errors import TooManySubscriptions

T = TypeVar("T")


async def in_a_place(scope: Scope, changes: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The changes, in one of the places that the caller has. Raises TooManySubscriptions."""
    places, user_id = scope.parts.live_places, scope.owner_id
    place = await places.take(user_id)
    if place is None:
        raise TooManySubscriptions(
            f"You watch {places.most:,} things live, which is the most: end a subscription first."
        )

    async def held() -> AsyncGenerator[T, None]:
        with metrics.live_subscriptions.track_inprogress():
            async with places.held(user_id, place), aclosing(changes):
                async for change in changes:
                    yield change

    return held()
