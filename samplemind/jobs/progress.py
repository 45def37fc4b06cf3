"""Telling the world that an analysis or a batch has moved on."""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from pydantic import TypeAdapter

from samplemind.domain.analysis import Analysis, AnalysisStatus
from samplemind.domain.batch_job import BatchItem, BatchJob, BatchProgress
from samplemind.domain.ids import now
from samplemind.events import batch_channel, file_channel
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

# A step is counted long before.
_STILL = timedelta(seconds=10)

progress_message = TypeAdapter(BatchProgress)

# The count of a batch job that an analysis of this status is part of.
COUNTS = {
    AnalysisStatus.QUEUED: "queued",
    AnalysisStatus.RUNNING: "running",
    AnalysisStatus.SUCCEEDED: "completed",
    AnalysisStatus.FAILED: "failed",
    AnalysisStatus.CANCELLED: "cancelled",
}


async def epoch_of(parts: Parts, batch_id: str | None) -> int | None:
    """Of the batch, where there is one: to be read before a step of an item is stored."""
    return await parts.store.batch_jobs.epoch(batch_id) if batch_id else None


async def tell_moved(
    parts: Parts, analysis: Analysis, before: AnalysisStatus, epoch: int | None
) -> None:
    """After one stored step of an analysis: counts it in its batch, and publishes both."""
    await publish_moved(parts, analysis)
    if analysis.batch_id and epoch is not None:
        item = BatchItem(analysis.audio_file_id, analysis.id, analysis.status, analysis.failure)
        moved = (before, analysis.status)
        await tell_batch_moved(parts, analysis.batch_id, epoch, *moved, 1, item)


async def tell_batch_moved(
    parts: Parts,
    batch_id: str,
    epoch: int,
    before: AnalysisStatus,
    after: AnalysisStatus,
    count: int,
    item: BatchItem | None = None,
) -> None:
    """After `count` items of a batch have moved: counts, logs and publishes the change.

    `epoch` was read before they moved.
    """
    change = {COUNTS[before]: -count, COUNTS[after]: count}
    progress = await parts.store.batch_jobs.advance(batch_id, epoch, change, item)
    if progress is None:
        await recount(parts, batch_id)
        return
    await publish_progress(parts, progress)
    batch = progress.batch_job
    if batch.queued < 0 or batch.running < 0:
        # An earlier step was never counted.
        await recount(parts, batch_id)


async def is_miscounted(parts: Parts, batch_id: str) -> bool:
    """Whether its counts are not those of its items; False while it moves."""
    found = await parts.store.batch_jobs.to_count(batch_id)
    if not found or found[0].updated_at > now() - _STILL:
        return False
    return await _counted(parts, found[0]) is not None


async def recount(parts: Parts, batch_id: str) -> bool:
    """Counts all items of a batch anew: a worker may have died between a step and its count.

    Answers whether that changed anything.
    """
    store = parts.store
    while found := await store.batch_jobs.to_count(batch_id):
        batch, epoch = found
        counts = await _counted(parts, batch)
        if counts is None:
            return False
        if progress := await store.batch_jobs.recounted(batch, epoch, counts):
            _log.info("batch counted anew", batch_id=batch_id, counts=_told(counts))
            await publish_progress(parts, progress)
            return True
    return False


async def _counted(parts: Parts, batch: BatchJob) -> dict[str, int] | None:
    """The counts of its items; None where they are what the batch says."""
    items = await parts.store.analyses.counts_of_batch(batch.owner_id, batch.id)
    counts = {name: items[status] for status, name in COUNTS.items()}
    is_same = all(getattr(batch, name) == count for name, count in counts.items())
    return None if is_same else counts


async def publish_moved(parts: Parts, analysis: Analysis) -> None:
    await parts.events.publish(file_channel(analysis.audio_file_id), analysis.id.encode())


async def publish_progress(parts: Parts, progress: BatchProgress) -> None:
    channel = batch_channel(progress.batch_job.id)
    await parts.events.publish(channel, progress_message.dump_json(progress))


def _told(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
