"""What a program signs in with."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`prefix` is how its secret begins: enough to know it by, and no more."""

    id: str
    owner_id: str
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None = None
