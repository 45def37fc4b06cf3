"""What all loaders share."""

import asyncio
from typing import TypeVar

from aiodataloader import DataLoader

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V]):
    """Who waits for a key may leave without taking the answer from others that wait for it:
    where a field fails, those beside it are cancelled, and the loader's future is everybody's."""

    def load(self, key: K) -> asyncio.Future[V]:
        return asyncio.shield(super().load(key))
