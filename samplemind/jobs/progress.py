"""Telling the world that an analysis or a batch has moved on."""

from pydantic import TypeAdapter

from samplemind.domain.analysis import Analysis, AnalysisStatus
from samplemind.domain.batch_job import BatchItem, BatchProgress
from samplemind.events import batch_channel, file_channel
from samplemind.jobs.notify import tell_of_analysis, tell_of_batch
from samplemind.parts import Parts

progress_message = TypeAdapter(BatchProgress)

# The count of a batch job that an analysis of this status is part of.
COUNTS = {
    AnalysisStatus.QUEUED: "queued",
    AnalysisStatus.RUNNING: "running",
    AnalysisStatus.SUCCEEDED: "completed",
    AnalysisStatus.FAILED: "failed",
    AnalysisStatus.CANCELLED: "cancelled",
}


async def tell_moved(parts: Parts, analysis: Analysis, before: AnalysisStatus) -> None:
    """After one stored step of an analysis: counts it in its batch, and publishes both."""
    await parts.events.publish(file_channel(analysis.audio_file_id), analysis.id.encode())
    if analysis.batch_id:
        item = BatchItem(analysis.audio_file_id, analysis.id, analysis.status, analysis.failure)
        await tell_batch_moved(parts, analysis.batch_id, before, analysis.status, 1, item)
    await tell_of_analysis(parts, analysis)


async def tell_batch_moved(
    parts: Parts,
    batch_id: str,
    before: AnalysisStatus,
    after: AnalysisStatus,
    count: int,
    item: BatchItem | None = None,
) -> None:
    """After `count` items of a batch have moved: counts, logs and publishes the change."""
    change = {COUNTS[before]: -count, COUNTS[after]: count}
    if progress := await parts.store.batch_jobs.advance(batch_id, change, item):
        await publish_progress(parts, progress)
        await tell_of_batch(parts, progress.batch_job)


async def publish_progress(parts: Parts, progress: BatchProgress) -> None:
    channel = batch_channel(progress.batch_job.id)
    await parts.events.publish(channel, progress_message.dump_json(progress))
