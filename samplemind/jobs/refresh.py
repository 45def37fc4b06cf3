"""Bringing what another version of the engine found up to date."""

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import Analysis, AnalysisStatus, Lane
from samplemind.domain.ids import new_id, now
from samplemind.parts import Parts


async def refresh(parts: Parts) -> int:
    """Stores new analyses, as waiting, of all files that another version of the engine analysed;
    answers how many.

    Vectors of two versions are not compared: until it is analysed again, such a file has its old
    results and is alike nothing. Only one worker in a minute asks, however many start at once.
    """
    only = f"samplemind:refresh:{ENGINE_VERSION}"
    if not await parts.events.redis.set(only, 1, nx=True, ex=60):
        return 0
    pending = await parts.store.places.files()
    made = 0
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
            lane=Lane.BATCH,
        )
        await parts.store.analyses.add([again])
        made += 1
    return made
