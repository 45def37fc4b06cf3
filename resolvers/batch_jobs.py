"""Batch jobs: making, reading, cancelling, retrying and watching them."""

from collections.abc import AsyncGenerator, Iterator, Sequence

from loaders.analyses import ItemsOfBatch
from resolvers.analyses import asked_ai
from resolvers.scope import Scope
from samplemind.audio import ENGINE_VERSION
from samplemind.domain.ai import AiPart
from samplemind.domain.analysis import Analysis, AnalysisOptions, AnalysisStatus, Lane
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.batch_job import BatchItem, BatchJob, BatchProgress
from samplemind.domain.errors import BadUserInput, BatchFinished, NotFound, NothingToRetry
from samplemind.domain.ids import new_id, now
from samplemind.domain.library import AudioFileFilter
from samplemind.domain.paging import Page, Window
from samplemind.events import MISSED, batch_channel
from samplemind.jobs.dispatch import require_place, send_next
from samplemind.jobs.progress import (
    epoch_of,
    progress_message,
    publish_progress,
    tell_batch_moved,
)
from samplemind.store.places import Stage

_MAX_IDS = 10_000


async def batch_job(scope: Scope, id_: str) -> BatchJob:
    """Raises NotFound."""
    found = await scope.loaders.batch_jobs_by_id.load(id_)
    if found is None:
        raise NotFound("You have no such batch job.", field=("id",))
    return found


async def batch_jobs(scope: Scope, window: Window) -> Page[BatchJob]:
    return await scope.parts.store.batch_jobs.page(scope.owner_id, window)


async def count_batch_jobs(scope: Scope) -> int:
    return await scope.parts.store.batch_jobs.count(scope.owner_id)


async def batch_items(
    scope: Scope, batch: BatchJob, window: Window, status: AnalysisStatus | None
) -> Page[BatchItem]:
    page = await scope.loaders.items_of_batch.load(ItemsOfBatch(batch, window, status))
    for row in page.rows:
        scope.loaders.analyses_by_id.prime(row.value.id, row.value)
    return page.map(item_of)


async def files_of_items(scope: Scope, items: Sequence[BatchItem]) -> list[AudioFile | None]:
    """The file of each item, None where it was deleted."""
    return await scope.loaders.audio_files_by_id.load_many([each.audio_file_id for each in items])


async def analyses_of_items(scope: Scope, items: Sequence[BatchItem]) -> list[Analysis | None]:
    """The analysis of each item, None where its file was deleted."""
    files = await files_of_items(scope, items)
    ids = [item.analysis_id for item, file in zip(items, files, strict=True) if file]
    loaded = await scope.loaders.analyses_by_id.load_many(ids)
    found = dict(zip(ids, loaded, strict=True))
    return [found.get(item.analysis_id) for item in items]


def item_of(analysis: Analysis) -> BatchItem:
    return BatchItem(analysis.audio_file_id, analysis.id, analysis.status, analysis.failure)


async def create_batch_job(
    scope: Scope,
    audio_file_ids: Sequence[str] | None,
    filter_: AudioFileFilter | None,
    options: AnalysisOptions,
    idempotency_key: str | None = None,
) -> BatchJob:
    """Analyses the files that are named, or all that match the filter.

    The same idempotency key answers the same batch again. Raises BadUserInput, NotFound.
    """
    store = scope.parts.store
    if idempotency_key:
        existing = await store.batch_jobs.by_idempotency_key(scope.owner_id, idempotency_key)
        if existing:
            return existing
    ids = await _chosen(scope, audio_file_ids, filter_)
    await require_place(scope.parts, scope.owner_id, len(ids))
    created_at = now()
    batch = BatchJob(
        id=new_id(),
        owner_id=scope.owner_id,
        level=options.level,
        total=len(ids),
        queued=len(ids),
        running=0,
        completed=0,
        failed=0,
        cancelled=0,
        sequence=1,
        created_at=created_at,
        updated_at=created_at,
        idempotency_key=idempotency_key or None,
    )
    # The items first: a batch that is there is whole.
    ai = asked_ai(scope, options)
    items = [_item(batch, file_id, position, ai) for position, file_id in enumerate(ids)]
    await store.analyses.add(items, Stage.MAKING)
    stored = await store.batch_jobs.add(batch)
    if stored.id != batch.id:
        # Another request with the same idempotency key was faster.
        await store.analyses.forget_batch(scope.owner_id, batch.id)
        return stored
    progress = BatchProgress(batch.sequence, batch, None)
    await store.batch_jobs.log(progress)
    await store.places.release_batch(scope.owner_id, batch.id)
    await publish_progress(scope.parts, progress)
    await send_next(scope.parts, Lane.BATCH, scope.owner_id)
    return batch


async def cancel_batch_job(scope: Scope, id_: str) -> BatchJob:
    """Cancels what has not begun; what is running ends by itself.

    Raises NotFound, BatchFinished.
    """
    batch = await batch_job(scope, id_)
    if batch.is_finished:
        raise BatchFinished("This batch has ended: there is nothing to cancel.", field=("id",))
    await _move_items(scope, batch, AnalysisStatus.QUEUED, AnalysisStatus.CANCELLED)
    # Another batch of theirs may be next.
    await send_next(scope.parts, Lane.BATCH, scope.owner_id)
    return await _reread(scope, id_)


async def retry_batch_job(scope: Scope, id_: str) -> BatchJob:
    """Queues the failed items again. Raises NotFound, NothingToRetry."""
    batch = await batch_job(scope, id_)
    if not await _move_items(scope, batch, AnalysisStatus.FAILED, AnalysisStatus.QUEUED):
        raise NothingToRetry("No item of this batch has failed.", field=("id",))
    await send_next(scope.parts, Lane.BATCH, scope.owner_id)
    return await _reread(scope, id_)


async def batch_progress(
    scope: Scope, batch: BatchJob, after_sequence: int | None
) -> AsyncGenerator[BatchProgress]:
    """The state now, then every change in order, until the batch has ended.

    With `after_sequence`, every change after that one instead, so that nothing is missed
    between two connections; 0 tells the whole story.
    """
    store = scope.parts.store.batch_jobs
    async with scope.parts.events.listen(batch_channel(batch.id)) as receive:
        latest = await _reread(scope, batch.id)
        if after_sequence is None:
            yield BatchProgress(latest.sequence, latest, None)
        last = latest.sequence
        if after_sequence is not None:
            last = min(max(after_sequence, 0), last)
        held = {change.sequence: change for change in await store.changes(batch.id, last)}
        message: bytes | None = None
        while True:
            for change in _in_order(held, last, skip_gap=message == MISSED):
                last, latest = change.sequence, change.batch_job
                scope.forget()
                yield change
            if latest.is_finished and last >= latest.sequence and not held:
                return
            message = await receive()
            current: BatchJob | None = None
            if message == MISSED:
                current = await _reread(scope, batch.id)
            else:
                change = progress_message.validate_json(message)
                held[change.sequence] = change
            if last + 1 not in held:
                held |= {change.sequence: change for change in await store.changes(batch.id, last)}
            if current and current.sequence > max(held, default=last):
                # The log of the latest change was lost with its worker, or is late.
                held[current.sequence] = BatchProgress(current.sequence, current, None)


def _in_order(
    held: dict[int, BatchProgress], last: int, *, skip_gap: bool
) -> Iterator[BatchProgress]:
    """Takes out of `held` what follows `last` without a gap.

    Two workers may tell in another order than they counted; who is late tells in a moment. A
    number that is still missing after a silence was lost with its worker: `skip_gap`.
    """
    for early in [number for number in held if number <= last]:
        del held[early]
    if skip_gap and held:
        last = min(held) - 1
    while change := held.pop(last + 1, None):
        last += 1
        yield change


async def _chosen(
    scope: Scope, audio_file_ids: Sequence[str] | None, filter_: AudioFileFilter | None
) -> list[str]:
    if (audio_file_ids is None) == (filter_ is None):
        message = "Give either audioFileIds or filter: {} is a filter that matches every file."
        raise BadUserInput(message, field=("input", "audioFileIds"))
    files = scope.parts.store.audio_files
    if audio_file_ids is None:
        ids = await files.ids(scope.owner_id, filter_)
        if not ids:
            raise BadUserInput("No file matches this filter.", field=("input", "filter"))
        return ids
    ids = list(dict.fromkeys(audio_file_ids))
    field = ("input", "audioFileIds")
    if not ids:
        raise BadUserInput("audioFileIds is empty: name at least one file.", field=field)
    if len(ids) > _MAX_IDS:
        raise BadUserInput(f"Name {_MAX_IDS:,} files at most, or use a filter.", field=field)
    missing = sum(found is None for found in await files.by_ids(scope.owner_id, ids))
    if missing:
        raise NotFound(f"{missing} of these files are not in your library.", field=field)
    return ids


def _item(batch: BatchJob, audio_file_id: str, position: int, ai: AiPart | None) -> Analysis:
    return Analysis(
        id=new_id(),
        owner_id=batch.owner_id,
        audio_file_id=audio_file_id,
        level=batch.level,
        status=AnalysisStatus.QUEUED,
        engine_version=ENGINE_VERSION,
        queued_at=batch.created_at,
        lane=Lane.BATCH,
        batch_id=batch.id,
        position=position,
        ai=ai,
    )


async def _move_items(
    scope: Scope, batch: BatchJob, before: AnalysisStatus, after: AnalysisStatus
) -> int:
    parts = scope.parts
    epoch = await epoch_of(parts, batch.id)
    moved = await parts.store.analyses.move_batch(scope.owner_id, batch.id, before, after)
    if moved and epoch is not None:
        await tell_batch_moved(parts, batch.id, epoch, before, after, len(moved))
        await parts.store.places.leave(moved)
    return len(moved)


async def _reread(scope: Scope, id_: str) -> BatchJob:
    scope.loaders.batch_jobs_by_id.clear(id_)
    return await batch_job(scope, id_)
