"""Who owns files."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from samplemind.domain.errors import BadUserInput

# The built-in user of a server without sign-in. Who registers first takes its place.
LOCAL_USER = "local"

_LONGEST_EMAIL = 254
_LONGEST_NAME = 64
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 10, 256


class Role(StrEnum):
    USER = "USER"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class User:
    """`email_notifications` says whether mail is sent when a batch of theirs ends."""

    id: str
    username: str
    email: str | None
    role: Role
    created_at: datetime
    email_notifications: bool = False


def known_by(email: str) -> str:
    """As accounts are known by it: letters that look alike are the same, large or small."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def clean_email(text: str) -> str:
    """An email as `known_by` has it. It is a name to sign in with; nobody knows if it gets mail.

    Raises BadUserInput.
    """
    email = known_by(text)
    name, at, host = email.rpartition("@")
    if not (name and at and host) or len(email) > _LONGEST_EMAIL or not _is_plain(email):
        raise BadUserInput("This is no email address, like ada@example.org.", field=_in("email"))
    return email


def clean_username(text: str) -> str:
    """Raises BadUserInput."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        message = f"A username has 1 to {_LONGEST_NAME} characters that can be shown."
        raise BadUserInput(message, field=_in("username"))
    return name


def check_password(text: str) -> str:
    """A password that may be chosen. Raises BadUserInput."""
    if not _SHORTEST_PASSWORD <= len(text) <= _LONGEST_PASSWORD:
        message = f"A password has {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters."
        raise BadUserInput(message, field=_in("password"))
    return text


def _is_plain(text: str) -> bool:
    return text.isprintable() and " " not in text


def _in(name: str) -> tuple[str, str]:
    return "input", name
