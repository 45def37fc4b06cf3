"""Asking for work. The documents are the truth: what is queued here is stored there first, and
a task that meets nothing to do does nothing."""

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import structlog
from kombu.exceptions import OperationalError
from redis.asyncio import Redis

from samplemind.domain.analysis import Lane
from samplemind.jobs.app import AI_LANES, DELIVERIES, LANES, QUEUES, app

_log = structlog.get_logger(__name__)

ANALYZE = "samplemind.analyze"
ASK_AI = "samplemind.ask_ai"
HEAR_UNSAVED = "samplemind.hear_unsaved"
GIVE_UP = "samplemind.give_up"
RECONCILE = "samplemind.reconcile"
REFRESH = "samplemind.refresh"
PATROL = "samplemind.patrol"
DELIVER = "samplemind.deliver"

# So many are sent at the same time by a process: most of it is waiting.
_TOGETHER = 20

# What is stored need not be queued at once: what is not is found again.
_PATIENCE_SECONDS = 3

# A process that does not even end itself is ended so much later.
_GRACE_SECONDS = 10


async def queue_analyses(lane: Lane, analysis_ids: Sequence[str]) -> None:
    """Over one connection. Raises OperationalError where the queue does not answer."""
    await _hand_over(_send, ANALYZE, LANES[lane], analysis_ids)


async def queue_ai(lane: Lane, analysis_ids: Sequence[str]) -> None:
    """The AI's part of analyses that have succeeded. Raises OperationalError as above."""
    await _hand_over(_send, ASK_AI, AI_LANES[lane], analysis_ids)


async def _hand_over(send: Callable[..., Any], *args: Any, **options: Any) -> None:
    """Celery's client blocks, and tries for half a minute; nobody waits that long. Raises
    OperationalError."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.to_thread(send, *args, **options)
    except TimeoutError as error:
        raise OperationalError("the queue does not answer in time") from error


def _send(task: str, queue: str, analysis_ids: Sequence[str]) -> None:
    with app.producer_pool.acquire(block=True, timeout=5) as producer:
        for id_ in analysis_ids:
            # The message is found by the analysis: see queued_ids.
            app.send_task(task, [id_], task_id=id_, queue=queue, producer=producer)


async def queue_unsaved(id_: str, filename: str, seconds: float) -> None:
    """A sound that is not stored, and that somebody waits for; it is given up after `seconds`.

    Raises OperationalError.
    """
    await _hand_over(
        app.send_task,
        HEAR_UNSAVED,
        [id_, filename],
        queue=LANES[Lane.INTERACTIVE],
        soft_time_limit=seconds,
        time_limit=seconds + _GRACE_SECONDS,
        expires=seconds,
    )


async def queued_ids(redis: Redis, queues: Iterable[str] = QUEUES) -> set[str]:
    """The ids of all tasks that wait in the queues; an analysis' task has its id."""
    ids: set[str] = set()
    for queue in queues:
        messages = await cast("Any", redis.lrange(queue, 0, -1))
        ids.update(json.loads(message)["headers"]["id"] for message in messages)
    return ids


async def queue_deliveries(ids: Sequence[str]) -> None:
    """They are stored, and looked after when they are due: the queue is only the quick way."""
    for start in range(0, len(ids), _TOGETHER):
        some = list(ids[start : start + _TOGETHER])
        try:
            await _hand_over(app.send_task, DELIVER, [some], queue=DELIVERIES)
        except OperationalError as error:
            _log.warning("deliveries stored but not queued", error=str(error))
            return
