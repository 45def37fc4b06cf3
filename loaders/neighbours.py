"""The nearest sounds of an embedding."""

from dataclasses import dataclass

from loaders.grouped import load_grouped
from loaders.loader import Loader
from samplemind.domain.library import AudioFileFilter
from samplemind.store import Store
from samplemind.vectors import Neighbour, Vectors

# Among how many of the nearest sounds those that match a filter are looked for, one after the
# other. Chroma finds them in some milliseconds, and lists what matches a filter in a hundred.
_LOOKED_AT = (200, 1_000)


@dataclass(frozen=True, slots=True)
class Search:
    """The `count` sounds nearest to `embedding`, of those that match the filter."""

    embedding: tuple[float, ...]
    count: int
    filter: AudioFileFilter | None = None


class NeighboursLoader(Loader[Search, list[Neighbour]]):
    """Within what one owner may see; searches that differ by their embedding alone are one."""

    def __init__(self, store: Store, vectors: Vectors, owner_id: str) -> None:
        super().__init__()
        self._store = store
        self._vectors = vectors
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[Search]) -> list[list[Neighbour]]:
        return await load_grouped(keys, lambda key: (key.count, key.filter), self._search)

    async def _search(self, keys: list[Search]) -> list[list[Neighbour]]:
        embeddings, like = [key.embedding for key in keys], keys[0]
        if (found := await self._among_few(embeddings, like)) is not None:
            return found
        if len(keys) == 1 and (found := await self._among_nearest(like)) is not None:
            return [found]
        return await self._vectors.nearest_to_each(
            self._owner_id, embeddings, like.count, like.filter
        )

    async def _among_few(
        self, embeddings: list[tuple[float, ...]], like: Search
    ) -> list[list[Neighbour]] | None:
        """What filtered searches find, of the files that the documents name; None where those may
        be many."""
        if like.filter is None:
            return None
        few = await self._store.audio_files.few(self._owner_id, like.filter)
        if few is None:
            return None
        return await self._vectors.nearest_among(self._owner_id, embeddings, like.count, few)

    async def _among_nearest(self, search: Search) -> list[Neighbour] | None:
        """What a filtered search finds, by looking through the nearest of all; None where too few
        of them match."""
        if search.filter is None:
            return None
        for number in _LOOKED_AT:
            if number < search.count:
                continue
            near = await self._vectors.nearest(self._owner_id, search.embedding, number)
            ids = [each.audio_file_id for each in near]
            wanted = await self._store.audio_files.matching(self._owner_id, ids, search.filter)
            found = [each for each in near if each.audio_file_id in wanted]
            if len(found) >= search.count or len(near) < number:
                return found[: search.count]
            if len(found) * _LOOKED_AT[-1] < search.count * number:
                # Further away there are hardly more.
                return None
        return None
