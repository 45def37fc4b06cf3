"""Who owns files."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    USER = "USER"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    username: str
    email: str | None
    role: Role
    created_at: datetime
