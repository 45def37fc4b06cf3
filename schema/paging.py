"""Connections as Relay specifies them: arguments in, cursors and pages out."""

import base64
import binascii
from typing import Annotated, Self

import strawberry

from samplemind.domain.errors import BadUserInput
from samplemind.domain.ids import opaque
from samplemind.domain.library import AudioFileOrder
from samplemind.domain.paging import Page, Window
from schema.directives import list_size

DEFAULT_SIZE = 50
MAX_SIZE = 200

# What says to the cost of an operation how long the page of a connection is.
PAGED = list_size(DEFAULT_SIZE, "first", "last", of="edges")
PAGED_FORWARD = list_size(DEFAULT_SIZE, "first", of="edges")

First = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many from the start: {DEFAULT_SIZE} by default, {MAX_SIZE} at most."
    ),
]
After = Annotated[
    str | None, strawberry.argument(description="Only what follows this cursor (with `first`).")
]
Last = Annotated[
    int | None, strawberry.argument(description=f"How many from the end: {MAX_SIZE} at most.")
]
Before = Annotated[
    str | None, strawberry.argument(description="Only what comes before this cursor.")
]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follow.")
    has_previous_page: bool = strawberry.field(description="Whether some come before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last edge: pass it as `after` for the next page."
    )

    @classmethod
    def of(cls, page: Page, order: str) -> Self:
        rows = page.rows
        return cls(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=encode_cursor(order, rows[0].key) if rows else None,
            end_cursor=encode_cursor(order, rows[-1].key) if rows else None,
        )


def audio_file_order(order: AudioFileOrder) -> str:
    """The name of an order of files, for its cursors."""
    return f"audio-files {order.field.value} {'DESC' if order.descending else 'ASC'}"


def encode_cursor(order: str, key: str) -> str:
    """A cursor says which order it belongs to, so that it cannot be used in another."""
    return opaque(f"{order}\n{key}")


def decode_cursor(order: str, cursor: str, field: str) -> str:
    """The key. Raises BadUserInput for what is no cursor, or one of another list."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        found, key = text.split("\n", 1)
    except (binascii.Error, ValueError):
        message = f"`{field}` is not a cursor: pass a cursor as you received it."
        raise BadUserInput(message, field=(field,)) from None
    if found != order:
        message = f"`{field}` is a cursor of another list or order: start again without it."
        raise BadUserInput(message, field=(field,))
    return key


def window(
    order: str,
    first: int | None,
    after: str | None,
    last: int | None = None,
    before: str | None = None,
) -> Window:
    """The window that the four arguments mean. Raises BadUserInput where they mean none."""
    for name, size in (("first", first), ("last", last)):
        if size is not None and size < 0:
            raise BadUserInput(f"`{name}` is {size}: it must be 0 or more.", field=(name,))
    if first is not None and last is not None:
        raise BadUserInput("Give `first` or `last`, not both.", field=("last",))
    size = first if last is None else last
    return Window(
        size=min(DEFAULT_SIZE if size is None else size, MAX_SIZE),
        from_end=last is not None,
        after=None if after is None else decode_cursor(order, after, "after"),
        before=None if before is None else decode_cursor(order, before, "before"),
    )
