"""Which analyses go to the queue, and when.

Of each owner only a few wait in a queue at a time, so whoever asks for one more meets the few of
everybody else rather than ten thousand of one batch; and the queue stays short whatever is asked
for. The others wait in the documents, and follow as those end.
"""

from collections.abc import Sequence

import structlog
from cachetools import TTLCache
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from samplemind.domain.analysis import Analysis, Lane
from samplemind.domain.errors import TooMuchQueued
from samplemind.jobs.presence import present_workers
from samplemind.jobs.queue import queue_analyses
from samplemind.outages import Pause
from samplemind.parts import Parts
from samplemind.store.places import Stage

_log = structlog.get_logger(__name__)

# Enough that no process waits for the next: it takes a moment until another is sent.
_LEAST_WINDOW = 16
_WINDOW_OF_PROCESS = 2

_windows: TTLCache[str, int] = TTLCache(1, ttl=10)

# A queue that does not answer costs everybody one wait at most.
_pause = Pause(10)


async def require_place(parts: Parts, owner_id: str, count: int) -> None:
    """Raises TooMuchQueued where the owner would have more waiting than is allowed."""
    most = parts.settings.max_pending
    if count > most or await parts.store.places.count_pending(owner_id) + count > most:
        raise TooMuchQueued(
            f"More than {most:,} analyses of yours would be waiting: ask again when some are done."
        )


async def add_analysis(parts: Parts, analysis: Analysis) -> None:
    """Stores an analysis and sends it to the queue, or leaves it to wait for its turn."""
    lane, owner_id = analysis.lane, analysis.owner_id
    is_free = await parts.store.places.count_sent(lane, owner_id) < await _window(parts)
    await parts.store.analyses.add([analysis], Stage.SENT if is_free else Stage.WAITING)
    if is_free:
        await _send(lane, [analysis.id])


async def send_next(parts: Parts, lane: Lane, owner_id: str) -> None:
    """Sends what is waiting of an owner's, as far as there is room in the window.

    Not for each one that ends, but where half of the window is empty.
    """
    places, window = parts.store.places, await _window(parts)
    room = window - await places.count_sent(lane, owner_id)
    if room >= window // 2:
        await _send(lane, await places.claim(lane, owner_id, room))


async def _send(lane: Lane, ids: Sequence[str]) -> None:
    if not ids or _pause.is_on:
        return
    try:
        await queue_analyses(lane, ids)
    except OperationalError as error:
        # They are stored as sent, and found missing in the queue when that answers again.
        _pause.begin()
        _log.warning("analyses stored but not queued", count=len(ids), error=str(error))


async def _window(parts: Parts) -> int:
    """Analyses of one owner that may wait in a queue: more where there are many processes."""
    url = parts.settings.redis_url
    if (window := _windows.get(url)) is None:
        try:
            workers = await present_workers(parts.events.redis)
            processes = sum(worker.processes for worker in workers)
        except (RedisError, OSError):
            processes = 0
        window = _windows[url] = max(_LEAST_WINDOW, _WINDOW_OF_PROCESS * processes)
    return window
