"""A window on an ordered list, cut by key rather than by offset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is asked for: `size` rows from its start, or from its end.

    `after` and `before` are keys (exclusive) of the list's order.
    """

    size: int
    from_end: bool = False
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    key: str
    value: T


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    rows: Sequence[Row[T]]
    has_next: bool
    has_previous: bool

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        rows = [Row(row.key, change(row.value)) for row in self.rows]
        return Page(rows, self.has_next, self.has_previous)
