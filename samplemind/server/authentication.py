"""Who sends a request: by what its headers say, or the first message of a WebSocket."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from samplemind.auth.callers import Caller


async def caller_of(connection: HTTPConnection, message: Mapping[str, Any] | None = None) -> Caller:
    """The caller. Who shows nothing is the local user where nobody has to sign in.

    `message` is the payload of a WebSocket's `connection_init`, whose headers no page can set.
    """
    state = connection.app.state
    bearer = _bearer(message or {}) or _bearer(connection.headers)
    address = connection.client.host if connection.client else ""
    if bearer:
        return await state.parts.callers.of(bearer, address)
    user = None if state.parts.settings.auth_required else state.local_user
    return Caller(user=user, address=address)


def _bearer(headers: Mapping[str, Any]) -> str | None:
    """The token or key. What is no Bearer is somebody else's: of a proxy, say."""
    given = headers.get("authorization") or headers.get("Authorization")
    if not isinstance(given, str):
        return None
    scheme, _, value = given.strip().partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None
