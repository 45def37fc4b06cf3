"""Identifiers that sort by the time they were made, and that time."""

import secrets
import time
from datetime import UTC, datetime


def new_id() -> str:
    """24 hex digits: microseconds since 1970, then 40 random bits.

    Ids made later sort later (within one process strictly, unless the clock steps back),
    so an id is also the key of "newest first".
    """
    return f"{time.time_ns() // 1_000:014x}{secrets.token_hex(5)}"


def now() -> datetime:
    """To the millisecond, as the documents keep it: what is answered is what is read again."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
