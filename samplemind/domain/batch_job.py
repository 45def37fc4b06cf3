"""Many analyses asked for at once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus, Failure


class BatchStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A batch and how many of its items are in each state.

    The status follows from the counts, so one atomic change of the counts is one consistent
    change of the whole; `sequence` numbers those changes from 1 without a gap.
    """

    id: str
    owner_id: str
    level: AnalysisLevel
    total: int
    queued: int
    running: int
    completed: int
    failed: int
    cancelled: int
    sequence: int
    created_at: datetime
    updated_at: datetime
    idempotency_key: str | None = None

    @property
    def status(self) -> BatchStatus:
        if self.queued + self.running:
            return BatchStatus.QUEUED if self.queued == self.total else BatchStatus.RUNNING
        if self.cancelled:
            return BatchStatus.CANCELLED
        if not self.failed:
            return BatchStatus.SUCCEEDED
        return BatchStatus.PARTIAL if self.completed else BatchStatus.FAILED

    @property
    def is_finished(self) -> bool:
        return self.queued + self.running == 0

    @property
    def finished_at(self) -> datetime | None:
        return self.updated_at if self.is_finished else None


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One file of a batch: its analysis, seen from the batch."""

    audio_file_id: str
    analysis_id: str
    status: AnalysisStatus
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """The batch right after change number `sequence`, and the item that changed."""

    sequence: int
    batch_job: BatchJob
    item: BatchItem | None
