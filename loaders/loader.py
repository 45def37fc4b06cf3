"""What all loaders share."""

import asyncio
from typing import TypeVar

from aiodataloader import DataLoader

from samplemind import metrics

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V]):
    """Who waits for a key may leave without taking the answer from others that wait for it:
    where a field fails, those beside it are cancelled, and the loader's future is everybody's."""

    def __init_subclass__(cls) -> None:
        """Counts how many keys go into one query."""
        load, keys_at_once = cls.batch_load_fn, metrics.loader_keys.labels(cls.__name__)

        async def counted(self: "Loader[K, V]", keys: list[K]) -> list[V]:
            keys_at_once.observe(len(keys))
            return await load(self, keys)

        cls.batch_load_fn = counted

    def load(self, key: K) -> asyncio.Future[V]:
        return asyncio.shield(super().load(key))
