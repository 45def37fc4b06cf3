"""Identifiers that sort by the time they were made."""

import secrets
import time


def new_id() -> str:
    """24 hex digits: microseconds since 1970, then 40 random bits.

    Ids made later sort later (within one process strictly, unless the clock steps back),
    so an id is also the key of "newest first".
    """
    return f"{time.time_ns() // 1_000:014x}{secrets.token_hex(5)}"
