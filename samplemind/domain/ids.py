"""Identifiers that sort by the time they were made, and that time."""

import secrets
import time
from datetime import UTC, datetime
from threading import Lock

_order = Lock()
_latest = 0


def new_id() -> str:
    """24 hex digits: microseconds since 1970, then 40 random bits.

    Ids made later sort later, within one process strictly, so an id is also the key of "newest
    first". Where two are made in a microsecond, the second is of the next.
    """
    global _latest
    with _order:
        _latest = max(time.time_ns() // 1_000, _latest + 1)
        return f"{_latest:014x}{secrets.token_hex(5)}"


def now() -> datetime:
    """To the millisecond, as the documents keep it: what is answered is what is read again."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1_000 * 1_000)
