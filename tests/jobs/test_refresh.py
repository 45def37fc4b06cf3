"""What another version of the engine analysed is analysed again, once."""

from collections.abc import AsyncIterator

import pytest

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus, Lane
from samplemind.jobs.refresh import refresh
from samplemind.parts import Parts
from tests.domain.models import analysis, audio_file

_LOCK = f"samplemind:refresh:{ENGINE_VERSION}"


@pytest.fixture
async def unlocked(parts: Parts) -> AsyncIterator[None]:
    await parts.events.redis.delete(_LOCK)
    yield
    await parts.events.redis.delete(_LOCK)


async def _file(parts: Parts, owner_id: str, version: str, *, pending: bool = False) -> str:
    file = await parts.store.audio_files.add(audio_file(owner_id))
    done = analysis(
        owner_id,
        file.id,
        status=AnalysisStatus.SUCCEEDED,
        level=AnalysisLevel.DETAILED,
        engine_version=version,
    )
    await parts.store.analyses.add([done])
    await parts.store.audio_files.set_analysis(done)
    if pending:
        await parts.store.analyses.add([analysis(owner_id, file.id)])
    return file.id


async def test_files_of_another_engine_are_queued_again(
    parts: Parts, owner_id: str, unlocked: None
) -> None:
    old = await _file(parts, owner_id, "0")
    await _file(parts, owner_id, ENGINE_VERSION)
    await _file(parts, owner_id, "0", pending=True)
    assert await refresh(parts) >= 1
    ids = await parts.store.places.claim(Lane.BATCH, owner_id, 10)
    [again] = await parts.store.analyses.by_ids(owner_id, ids)
    assert again
    assert again.audio_file_id == old
    assert (again.level, again.status) == (AnalysisLevel.DETAILED, AnalysisStatus.QUEUED)
    assert again.engine_version == ENGINE_VERSION


async def test_workers_that_start_together_ask_once(
    parts: Parts, owner_id: str, unlocked: None
) -> None:
    await _file(parts, owner_id, "0")
    assert await refresh(parts) >= 1
    await _file(parts, owner_id, "0")
    assert await refresh(parts) == 0
