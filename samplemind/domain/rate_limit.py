"""What a caller may spend."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Allowance:
    """Points of one caller in this minute, all of which are there again at `reset_at`."""

    limit: int
    remaining: int
    reset_at: datetime
