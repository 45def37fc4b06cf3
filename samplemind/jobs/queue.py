"""Asking for work. The documents are the truth: what is queued here is stored there first, and
a task that meets nothing to do does nothing."""

import asyncio
from collections.abc import Sequence

from samplemind.jobs.app import AI, AI_BATCH, BATCH, INTERACTIVE, app

ANALYZE = "samplemind.analyze"
ASK_AI = "samplemind.ask_ai"
DISPATCH_BATCH = "samplemind.dispatch_batch"
HEAR_UNSAVED = "samplemind.hear_unsaved"
GIVE_UP = "samplemind.give_up"
RECOVER = "samplemind.recover"

# A process that does not even end itself is ended so much later.
_GRACE_SECONDS = 10


async def queue_analysis(analysis_id: str) -> None:
    """One analysis that somebody waits for."""
    await asyncio.to_thread(app.send_task, ANALYZE, [analysis_id], queue=INTERACTIVE)


async def queue_ai(analysis_id: str, *, in_batch: bool) -> None:
    """The AI's part of an analysis that has succeeded."""
    queue = AI_BATCH if in_batch else AI
    await asyncio.to_thread(app.send_task, ASK_AI, [analysis_id], queue=queue)


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


def send_out(analysis_ids: Sequence[str], *, again: bool = False) -> None:
    """Queues many analyses over one connection (blocking: for workers).

    `again` says that the worker which may have begun them is lost.
    """
    with app.producer_pool.acquire(block=True) as producer:
        for analysis_id in analysis_ids:
            app.send_task(ANALYZE, [analysis_id, again], queue=BATCH, producer=producer)
