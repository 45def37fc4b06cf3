"""Signed, time-limited links: whoever holds one needs nothing else."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import jwt

from samplemind.domain.errors import LinkExpired, LinkInvalid
from samplemind.signing import Signer


class LinkKind(StrEnum):
    """What a link is for; its value is also the first part of its path."""

    MEDIA = "media"
    UPLOADS = "uploads"


class Links:
    """Every process with the same secret takes the links of the others."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def path(self, kind: LinkKind, owner_id: str, id_: str, expires_at: datetime) -> str:
        """The path of a URL, e.g. /media/TOKEN. The same arguments give the same one."""
        token = self._signer.sign(kind.value, sub=owner_id, id=id_, exp=expires_at)
        return f"/{kind.value}/{token}"

    def read(self, kind: LinkKind, token: str) -> tuple[str, str]:
        """The owner's id and the id of what the link is for.

        Raises LinkExpired, and LinkInvalid for what was not signed here and for this.
        """
        try:
            claims = self._signer.read(kind.value, token, "sub", "id")
        except jwt.ExpiredSignatureError:
            raise LinkExpired("This link is over: ask for a new one.") from None
        except jwt.InvalidTokenError:
            raise LinkInvalid("This link is not one of ours: use it as you received it.") from None
        return claims["sub"], claims["id"]


def hour_from_now() -> datetime:
    """Between 60 and 70 minutes from now: whoever asks again within ten minutes gets the same, so
    that a link stays the same too and what lies behind it can be cached."""
    step = 600
    begun = int(datetime.now(UTC).timestamp()) // step * step
    return datetime.fromtimestamp(begun, UTC) + timedelta(seconds=3_600 + step)
