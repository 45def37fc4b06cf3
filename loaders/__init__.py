"""Loaders: many reads of one operation become one query. Made anew for each operation."""

from functools import cached_property

from loaders.analyses import AnalysesByIdLoader
from loaders.audio_files import AudioFilesByIdLoader
from loaders.batch_jobs import BatchJobsByIdLoader
from loaders.embeddings import EmbeddingsByAudioFileIdLoader
from loaders.fingerprints import FingerprintsByAnalysisIdLoader
from samplemind.store import Store
from samplemind.vectors import Vectors


class Loaders:
    """The loaders of one operation, for one owner; each is made when it is first used."""

    def __init__(self, store: Store, vectors: Vectors, owner_id: str) -> None:
        self._store = store
        self._vectors = vectors
        self._owner_id = owner_id

    @cached_property
    def audio_files_by_id(self) -> AudioFilesByIdLoader:
        return AudioFilesByIdLoader(self._store, self._owner_id)

    @cached_property
    def analyses_by_id(self) -> AnalysesByIdLoader:
        return AnalysesByIdLoader(self._store, self._owner_id)

    @cached_property
    def batch_jobs_by_id(self) -> BatchJobsByIdLoader:
        return BatchJobsByIdLoader(self._store, self._owner_id)

    @cached_property
    def embeddings_by_audio_file_id(self) -> EmbeddingsByAudioFileIdLoader:
        return EmbeddingsByAudioFileIdLoader(self._vectors, self._owner_id)

    @cached_property
    def fingerprints_by_analysis_id(self) -> FingerprintsByAnalysisIdLoader:
        return FingerprintsByAnalysisIdLoader(self._store, self._owner_id)
