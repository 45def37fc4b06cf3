"""Work that was asked for and that no queue and no worker holds any more."""

import psutil

from samplemind.jobs.presence import WorkerPresence, present_workers
from samplemind.parts import Parts


async def lost_analyses(parts: Parts, worker: str) -> list[str]:
    """What is stored as queued or running while `worker` is the only worker there is.

    Whoever ran it is gone, and it does no harm to queue a second time what is queued. Nothing
    where other workers live: they may be at it.
    """
    others = [
        other
        for other in await present_workers(parts.events.redis)
        if other.name != worker and not _is_gone(other, worker)
    ]
    return [] if others else await parts.store.analyses.pending_ids()


def _is_gone(other: WorkerPresence, worker: str) -> bool:
    """A worker killed on this machine leaves its key for some seconds."""
    host, _, pid = other.name.rpartition(":")
    return host == worker.rpartition(":")[0] and not psutil.pid_exists(int(pid))
