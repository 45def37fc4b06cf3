"""People."""

from collections.abc import Sequence

from resolvers.scope import Scope
from samplemind.domain.user import User


async def users(scope: Scope, ids: Sequence[str]) -> list[User | None]:
    """The users in the order of `ids`, None where the caller may not know of them: all but
    oneself."""
    own = scope.viewer.id
    known = await scope.loaders.users_by_id.load(own) if own in ids else None
    return [known if id_ == own else None for id_ in ids]
