"""Finding what was asked for and got lost on its way, and putting it right.

A worker, the queue, or whoever was about to tell may die between any two steps. What is stored is
the truth, so everything that is stored and that nobody works on any more is found by where it
stands, and done again. To do a thing twice does no harm.
"""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from samplemind.domain.analysis import AnalysisStatus, Lane
from samplemind.domain.errors import PartUnavailable
from samplemind.domain.ids import now
from samplemind.jobs.ai import reconcile_ai
from samplemind.jobs.analysis import stand_for_file
from samplemind.jobs.dispatch import send_next
from samplemind.jobs.notify import tell_of_analysis, tell_of_batch
from samplemind.jobs.presence import LIFE_SECONDS, present_workers
from samplemind.jobs.progress import epoch_of, publish_moved, recount, tell_moved
from samplemind.jobs.queue import queue_analyses, queued_ids
from samplemind.jobs.vectors import sync_vectors
from samplemind.parts import Parts
from samplemind.store.places import Stage

_log = structlog.get_logger(__name__)

# Whoever works on something has said so by then.
_LOST = timedelta(seconds=LIFE_SECONDS)

# While the items of a batch are being stored, the batch itself is not there yet.
_MADE = timedelta(minutes=10)


async def reconcile(parts: Parts) -> None:
    """One round over everything. Any number may run at once."""
    await _settle_ended(parts)
    await _end_making(parts)
    server = await parts.events.redis.info("server")
    if server["uptime_in_seconds"] > LIFE_SECONDS:
        # Before, workers may not have had the time to say that they are there.
        held = {id_ for each in await present_workers(parts.events.redis) for id_ in each.held}
        await _hand_back_lost(parts, held)
        await _send_missing(parts, held)
        await reconcile_ai(parts)
    for lane in Lane:
        for owner_id in await parts.store.places.owners_waiting(lane):
            await send_next(parts, lane, owner_id)
    try:
        if count := await sync_vectors(parts):
            _log.info("vectors made up for", count=count)
    except PartUnavailable:
        _log.debug("vectors still put off")


async def _settle_ended(parts: Parts) -> None:
    """Whoever ended them died before all that follows from it was done."""
    ended = await parts.store.places.since_before(Stage.ENDED, now() - _LOST)
    for placed in ended:
        analysis = await parts.store.analyses.by_id(placed.id)
        if analysis is None:
            continue
        _log.warning("analysis settled", analysis_id=analysis.id)
        if analysis.status is AnalysisStatus.SUCCEEDED:
            await stand_for_file(parts, analysis)
        await tell_of_analysis(parts, analysis)
        await publish_moved(parts, analysis)
    # Nobody knows which of them were counted, and whether an end was told of.
    for batch_id in {placed.batch_id for placed in ended if placed.batch_id}:
        await recount(parts, batch_id)
        if found := await parts.store.batch_jobs.to_count(batch_id):
            await tell_of_batch(parts, found[0])
    await parts.store.places.leave([placed.id for placed in ended])


async def _end_making(parts: Parts) -> None:
    """Whoever made a batch died before it was stored, or before its items were let go."""
    store = parts.store
    making = await store.places.since_before(Stage.MAKING, now() - _LOST)
    for owner_id, batch_id in {(each.owner_id, each.batch_id) for each in making if each.batch_id}:
        if any(await store.batch_jobs.by_ids(owner_id, [batch_id])):
            await store.places.release_batch(owner_id, batch_id)
    old = await store.places.since_before(Stage.MAKING, now() - _MADE)
    await store.analyses.forget([each.id for each in old])


async def _hand_back_lost(parts: Parts, held: set[str]) -> None:
    """No worker says that it has them."""
    running = await parts.store.places.since_before(Stage.RUNNING, now() - _LOST)
    await hand_back(parts, [each.id for each in running if each.id not in held], lost=True)


async def hand_back(parts: Parts, analysis_ids: Sequence[str], *, lost: bool) -> None:
    """Lets what is running wait for its turn again: its worker is `lost`, or was told to stop."""
    for id_ in analysis_ids:
        analysis = await parts.store.analyses.by_id(id_)
        if analysis is None:
            continue
        epoch = await epoch_of(parts, analysis.batch_id)
        if moved := await parts.store.analyses.hand_back(analysis, lost=lost):
            _log.warning("analysis handed back", analysis_id=id_, worker_lost=lost)
            await tell_moved(parts, moved, AnalysisStatus.RUNNING, epoch)


async def _send_missing(parts: Parts, held: set[str]) -> None:
    """They were sent, and are neither in a queue nor with a worker."""
    # In this order: what is taken from the queue meanwhile is sent twice, and nothing is missed.
    sent = await parts.store.places.since_before(Stage.SENT, now() - _LOST)
    sent = [each for each in sent if each.id not in held]
    if not sent:
        return
    queued = await queued_ids(parts.events.redis)
    for lane in Lane:
        if ids := [each.id for each in sent if each.lane is lane and each.id not in queued]:
            _log.warning("analyses sent again", count=len(ids), lane=lane)
            await parts.store.places.sent_again(ids)
            await queue_analyses(lane, ids)
