"""Asking for work. The documents are the truth: what is queued here is stored there first, and
a task that meets nothing to do does nothing."""

import asyncio
from collections.abc import Sequence

import structlog
from kombu.exceptions import OperationalError

from samplemind.jobs.app import BATCH, INTERACTIVE, app

_log = structlog.get_logger(__name__)

ANALYZE = "samplemind.analyze"
DISPATCH_BATCH = "samplemind.dispatch_batch"
HEAR_UNSAVED = "samplemind.hear_unsaved"
GIVE_UP = "samplemind.give_up"
RECOVER = "samplemind.recover"
DELIVER = "samplemind.deliver"

DELIVERIES = INTERACTIVE
"""The queue of what is to be delivered."""

# So many are sent at the same time by a process: most of it is waiting.
_TOGETHER = 20

# A process that does not even end itself is ended so much later.
_GRACE_SECONDS = 10


async def queue_analysis(analysis_id: str) -> None:
    """One analysis that somebody waits for."""
    await asyncio.to_thread(app.send_task, ANALYZE, [analysis_id], queue=INTERACTIVE)


async def queue_unsaved(id_: str, filename: str, seconds: float) -> None:
    """A sound that is not stored, and that somebody waits for; it is given up after `seconds`."""
    await asyncio.to_thread(
        app.send_task,
        HEAR_UNSAVED,
        [id_, filename],
        queue=INTERACTIVE,
        soft_time_limit=seconds,
        time_limit=seconds + _GRACE_SECONDS,
    )


async def queue_batch(owner_id: str, batch_id: str) -> None:
    """All queued analyses of a batch; a worker sends them out, so the caller need not wait."""
    await asyncio.to_thread(app.send_task, DISPATCH_BATCH, [owner_id, batch_id], queue=INTERACTIVE)


async def queue_deliveries(ids: Sequence[str]) -> None:
    """They are stored, and looked after when they are due: the queue is only the quick way."""
    for start in range(0, len(ids), _TOGETHER):
        some = list(ids[start : start + _TOGETHER])
        try:
            await asyncio.to_thread(app.send_task, DELIVER, [some], queue=DELIVERIES)
        except OperationalError as error:
            _log.warning("deliveries stored but not queued", error=str(error))
            return


def send_out(analysis_ids: Sequence[str], *, again: bool = False) -> None:
    """Queues many analyses over one connection (blocking: for workers).

    `again` says that the worker which may have begun them is lost.
    """
    with app.producer_pool.acquire(block=True) as producer:
        for analysis_id in analysis_ids:
            app.send_task(ANALYZE, [analysis_id, again], queue=BATCH, producer=producer)
