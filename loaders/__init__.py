"""Loaders: many reads of one operation become one query. Made anew for each operation."""

from functools import cached_property

from loaders.analyses import AnalysesByIdLoader, AnalysesOfFileLoader, ItemsOfBatchLoader
from loaders.api_keys import ApiKeysByOwnerLoader
from loaders.audio_files import AudioFileCountsLoader, AudioFilePagesLoader, AudioFilesByIdLoader
from loaders.batch_jobs import BatchJobsByIdLoader
from loaders.embeddings import EmbeddingsLoader
from loaders.fingerprints import FingerprintsByAnalysisIdLoader
from loaders.neighbours import NeighboursLoader
from loaders.users import AiUsagesLoader, AnalysisCountsLoader
from samplemind.cache import Cache
from samplemind.store import Store
from samplemind.vectors import Vectors


class Loaders:
    """The loaders of one operation, for one owner; each is made when it is first used."""

    def __init__(self, store: Store, vectors: Vectors, cache: Cache, owner_id: str) -> None:
        self._store = store
        self._vectors = vectors
        self._cache = cache
        self._owner_id = owner_id

    @cached_property
    def audio_files_by_id(self) -> AudioFilesByIdLoader:
        return AudioFilesByIdLoader(self._store, self._owner_id)

    @cached_property
    def audio_file_pages(self) -> AudioFilePagesLoader:
        return AudioFilePagesLoader(self._store, self._owner_id)

    @cached_property
    def audio_file_counts(self) -> AudioFileCountsLoader:
        return AudioFileCountsLoader(self._store, self._owner_id)

    @cached_property
    def analyses_by_id(self) -> AnalysesByIdLoader:
        return AnalysesByIdLoader(self._store, self._owner_id)

    @cached_property
    def analyses_of_file(self) -> AnalysesOfFileLoader:
        return AnalysesOfFileLoader(self._store, self._owner_id)

    @cached_property
    def items_of_batch(self) -> ItemsOfBatchLoader:
        return ItemsOfBatchLoader(self._store, self._owner_id)

    @cached_property
    def analysis_counts(self) -> AnalysisCountsLoader:
        return AnalysisCountsLoader(self._store)

    @cached_property
    def ai_usages(self) -> AiUsagesLoader:
        return AiUsagesLoader(self._store)

    @cached_property
    def api_keys_by_owner(self) -> ApiKeysByOwnerLoader:
        return ApiKeysByOwnerLoader(self._store, self._owner_id)

    @cached_property
    def batch_jobs_by_id(self) -> BatchJobsByIdLoader:
        return BatchJobsByIdLoader(self._store, self._owner_id)

    @cached_property
    def embeddings(self) -> EmbeddingsLoader:
        return EmbeddingsLoader(self._vectors, self._cache, self._owner_id)

    @cached_property
    def neighbours(self) -> NeighboursLoader:
        return NeighboursLoader(self._vectors, self._owner_id)

    @cached_property
    def fingerprints_by_analysis_id(self) -> FingerprintsByAnalysisIdLoader:
        return FingerprintsByAnalysisIdLoader(self._store, self._owner_id)
