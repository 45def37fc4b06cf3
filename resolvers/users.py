"""People."""

from collections.abc import Sequence

from resolvers.scope import Scope
from samplemind.domain.user import User


def users(scope: Scope, ids: Sequence[str]) -> list[User | None]:
    """The users in the order of `ids`, None where the caller may not know of them: all but
    oneself."""
    return [scope.viewer if id_ == scope.viewer.id else None for id_ in ids]
