"""The two tokens of a session: one to show with each request, one to get the next two."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from cachetools import LRUCache

from samplemind.domain.errors import SessionEnded, TokenExpired, Unauthenticated
from samplemind.signing import Signer

ACCESS = timedelta(minutes=15)
REFRESH = timedelta(days=30)

_ACCESS, _REFRESH = "access", "refresh"
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class AccessClaims:
    user_id: str
    session_id: str
    issued_at: datetime
    expires_at: datetime


class Tokens:
    """Signs and reads them. That a session goes on is not theirs to know."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        # The same token comes with each request for a while: its signature is verified once.
        self._verified: LRUCache[str, AccessClaims] = LRUCache(_REMEMBERED)

    def access(self, user_id: str, session_id: str, now: datetime) -> tuple[str, datetime]:
        """The token, and when it is over."""
        expires_at = now + ACCESS
        claims = {"sub": user_id, "sid": session_id, "iat": now, "exp": expires_at}
        return self._signer.sign(_ACCESS, **claims), expires_at

    def refresh(self, session_id: str, generation: int, now: datetime) -> str:
        """`generation` counts the refreshes of a session, so that a spent token is known."""
        claims = {"sid": session_id, "gen": generation, "exp": now + REFRESH}
        return self._signer.sign(_REFRESH, **claims)

    def read_access(self, token: str) -> AccessClaims:
        """Raises TokenExpired, Unauthenticated."""
        known = self._verified.get(token)
        if known and known.expires_at > datetime.now(UTC):
            return known
        try:
            claims = self._signer.read(_ACCESS, token, "sub", "sid", "iat")
        except jwt.ExpiredSignatureError:
            message = "This access token is over: get another with refreshSession."
            raise TokenExpired(message) from None
        except jwt.InvalidTokenError:
            raise Unauthenticated("This token is not one of ours: sign in again.") from None
        issued_at, expires_at = (
            datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp")
        )
        verified = AccessClaims(claims["sub"], claims["sid"], issued_at, expires_at)
        self._verified[token] = verified
        return verified

    def read_refresh(self, token: str) -> tuple[str, int]:
        """The session's id and the generation. Raises SessionEnded."""
        try:
            claims = self._signer.read(_REFRESH, token, "sid", "gen")
        except jwt.InvalidTokenError:
            raise session_ended() from None
        return claims["sid"], claims["gen"]


def session_ended() -> SessionEnded:
    """The same whatever ended it, so that nobody learns how near they were."""
    return SessionEnded("This session is over: sign in again.", field=("input", "refreshToken"))
