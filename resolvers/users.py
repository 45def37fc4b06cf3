"""People."""

from resolvers.scope import Scope
from samplemind.domain.user import User


async def user(scope: Scope, id_: str) -> User | None:
    """The user, where the caller may know of them: oneself."""
    if id_ != scope.viewer.id:
        return None
    return await scope.loaders.users_by_id.load(id_)
