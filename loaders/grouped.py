"""Keys that differ in more than what one query can tell apart."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


async def load_grouped(
    keys: list[K],
    by: Callable[[K], Hashable],
    load: Callable[[list[K]], Awaitable[list[V]]],
) -> list[V]:
    """The values of `keys` in order; those of which `by` says the same go into one `load`."""
    groups: defaultdict[Hashable, list[K]] = defaultdict(list)
    for key in keys:
        groups[by(key)].append(key)
    answers = await asyncio.gather(*map(load, groups.values()))
    found: dict[K, V] = {}
    for group, values in zip(groups.values(), answers, strict=True):
        found |= zip(group, values, strict=True)
    return [found[key] for key in keys]
