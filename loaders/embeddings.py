"""Embeddings of files."""

from loaders.loader import Loader
from samplemind.audio import ENGINE_VERSION
from samplemind.cache import Cache
from samplemind.domain.audio_file import AudioFile
from samplemind.vectors import Vectors

_KEPT_SECONDS = 3_600


class EmbeddingsLoader(Loader[AudioFile, tuple[float, ...] | None]):
    """Within what one owner may see; None where this engine has made none.

    One alone, as the seed of a search, is kept in the cache; many are one request as they are.
    """

    def __init__(self, vectors: Vectors, cache: Cache, owner_id: str) -> None:
        super().__init__(get_cache_key=lambda file: file.id)
        self._vectors = vectors
        self._kept_in = cache
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[AudioFile]) -> list[tuple[float, ...] | None]:
        found = await self._read(keys) if len(keys) > 1 else [await self._kept(keys[0])]
        return [None if vector is None else tuple(vector) for vector in found]

    async def _read(self, files: list[AudioFile]) -> list[list[float] | None]:
        return await self._vectors.embeddings(self._owner_id, [file.id for file in files])

    async def _kept(self, file: AudioFile) -> list[float] | None:
        """What is kept needs no invalidation: another analysis has another key, and an engine
        makes the same of the same bytes."""

        async def make() -> list[float]:
            [vector] = await self._read([file])
            if vector is None:
                # An older analysis that ends late may still make it.
                raise _NotMade
            return vector

        key = f"embedding:{ENGINE_VERSION}:{self._owner_id}:{file.id}:{file.analysis_id}"
        try:
            return await self._kept_in.get_or_make(key, make, seconds=_KEPT_SECONDS)
        except _NotMade:
            return None


class _NotMade(Exception):
    """There is no embedding yet."""
