"""Work that was asked for and that no queue and no worker holds any more."""

import psutil

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import Analysis, AnalysisStatus
from samplemind.domain.ids import new_id, now
from samplemind.jobs.ai import LOST_AFTER
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


async def pending_ai(parts: Parts) -> list[Analysis]:
    """Analyses whose AI is still to be asked, the oldest first: what waits, and what somebody
    began so long ago that nobody can be at it any more. It does no harm to queue one twice."""
    return await parts.store.analyses.ai_pending(LOST_AFTER)


async def outdated_files(parts: Parts) -> list[str]:
    """New analyses, stored as queued, of all files that another version of the engine analysed.

    Vectors of two versions are not compared: until it is analysed again, such a file has its old
    results and is alike nothing. Only one worker in a minute asks, however many start at once.
    """
    only = f"samplemind:refresh:{ENGINE_VERSION}"
    if not await parts.events.redis.set(only, 1, nx=True, ex=60):
        return []
    pending = await parts.store.analyses.files_pending()
    made: list[str] = []
    async for file in parts.store.audio_files.analyzed_by_another_engine(ENGINE_VERSION):
        if file.id in pending or file.analysis_id is None:
            continue
        [before] = await parts.store.analyses.by_ids(file.owner_id, [file.analysis_id])
        if before is None:
            continue
        again = Analysis(
            id=new_id(),
            owner_id=file.owner_id,
            audio_file_id=file.id,
            level=before.level,
            status=AnalysisStatus.QUEUED,
            engine_version=ENGINE_VERSION,
            queued_at=now(),
        )
        await parts.store.analyses.add([again])
        made.append(again.id)
    return made


def _is_gone(other: WorkerPresence, worker: str) -> bool:
    """A worker killed on this machine leaves its key for some seconds."""
    host, _, pid = other.name.rpartition(":")
    return host == worker.rpartition(":")[0] and not psutil.pid_exists(int(pid))
