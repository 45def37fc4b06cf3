"""The nearest sounds of an embedding."""

from dataclasses import dataclass

from loaders.grouped import load_grouped
from loaders.loader import Loader
from samplemind.domain.library import AudioFileFilter
from samplemind.vectors import Neighbour, Vectors


@dataclass(frozen=True, slots=True)
class Search:
    """The `count` sounds nearest to `embedding`, of those that match the filter."""

    embedding: tuple[float, ...]
    count: int
    filter: AudioFileFilter | None = None


class NeighboursLoader(Loader[Search, list[Neighbour]]):
    """Within what one owner may see; searches that differ by their embedding alone are one."""

    def __init__(self, vectors: Vectors, owner_id: str) -> None:
        super().__init__()
        self._vectors = vectors
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[Search]) -> list[list[Neighbour]]:
        return await load_grouped(keys, lambda key: (key.count, key.filter), self._search)

    async def _search(self, keys: list[Search]) -> list[list[Neighbour]]:
        embeddings, like = [key.embedding for key in keys], keys[0]
        return await self._vectors.nearest_to_each(
            self._owner_id, embeddings, like.count, like.filter
        )
