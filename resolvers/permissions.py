"""Whether a caller may ask for something at all."""

from collections.abc import Iterable

from resolvers.scope import Scope
from samplemind.auth.permissions import PERMISSIONS, Access
from samplemind.domain.errors import Forbidden
from samplemind.domain.user import Role


def require(scope: Scope, root: str, fields: Iterable[str]) -> None:
    """Raises Unauthenticated or Forbidden where one of these fields is not for the caller.

    `root` is Query, Mutation or Subscription.
    """
    for name in fields:
        access = PERMISSIONS[root].get(name)
        if access is Access.ANYONE:
            continue
        user = scope.user
        if access is None or (access is Access.ADMIN and user.role is not Role.ADMIN):
            raise Forbidden(f"`{name}` is not for you: it takes an admin.")
        if access is Access.PASSWORD and scope.caller.api_key_id:
            raise Forbidden(f"`{name}` takes more than an API key: sign in with your password.")
