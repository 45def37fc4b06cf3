"""What somebody has signed in to."""

from dataclasses import dataclass
from datetime import datetime

from samplemind.domain.user import User


@dataclass(frozen=True, slots=True)
class Session:
    """The access token is shown with each request until `expires_at`; the refresh token gets the
    next two, once."""

    user: User
    access_token: str
    refresh_token: str
    expires_at: datetime
