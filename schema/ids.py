"""Opaque ids: the type and its id in one string, as Relay wants them."""

import base64
import binascii

import strawberry

from samplemind.domain.errors import BadUserInput
from samplemind.domain.ids import global_id


def encode_id(type_name: str, id_: str) -> strawberry.ID:
    return strawberry.ID(global_id(type_name, id_))


def decode_id(value: str, field: tuple[str, ...] = ("id",)) -> tuple[str, str]:
    """The type's name and the id. Raises BadUserInput for what is not an id of this API."""
    try:
        padded = value + "=" * (-len(value) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        type_name, id_ = text.split(":")
    except (binascii.Error, ValueError):
        message = f"{value[:80]!r} is not an id of this API: pass an id as you received it."
        raise BadUserInput(message, field=field) from None
    return type_name, id_


def decode_id_of(type_name: str, value: str, field: tuple[str, ...] = ("id",)) -> str:
    """The id of a `type_name`. Raises BadUserInput where it is an id of something else."""
    found, id_ = decode_id(value, field)
    if found != type_name:
        message = f"This is the id of {_a(found)}; {_a(type_name)} is expected."
        raise BadUserInput(message, field=field)
    return id_


def _a(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name[:30]}"
