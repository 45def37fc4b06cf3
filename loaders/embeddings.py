"""Embeddings by the file that they are of."""

from aiodataloader import DataLoader

from samplemind.vectors import Vectors


class EmbeddingsByAudioFileIdLoader(DataLoader[str, list[float] | None]):
    """Within what one owner may see; None where this engine has made none."""

    def __init__(self, vectors: Vectors, owner_id: str) -> None:
        super().__init__()
        self._vectors = vectors
        self._owner_id = owner_id

    async def batch_load_fn(self, keys: list[str]) -> list[list[float] | None]:
        return await self._vectors.embeddings(self._owner_id, keys)
