"""Identifiers that sort by the time they were made, and that time; what clients call them by."""

import binascii
import secrets
import time
from datetime import UTC, datetime
from threading import Lock

_URL_SAFE = bytes.maketrans(b"+/", b"-_")

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


def id_at(moment: datetime) -> str:
    """Sorts before every id that was made at that time or later."""
    return f"{int(moment.timestamp() * 1_000_000):014x}"


def opaque(text: str) -> str:
    """Base64 that is safe in a URL, without padding. Made for every id and cursor of a list, so
    by hand: a third of what the standard library's way takes."""
    encoded = binascii.b2a_base64(text.encode(), newline=False)
    return encoded.translate(_URL_SAFE).rstrip(b"=").decode()


def global_id(type_name: str, id_: str) -> str:
    """The type and its id in one string: an id that is unique in the whole API."""
    return opaque(f"{type_name}:{id_}")
