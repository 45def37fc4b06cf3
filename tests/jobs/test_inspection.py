"""Where rows, audio bytes and vectors do not agree: each fault is found once, and mended."""

import io
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import Analysis, AnalysisStatus
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id
from samplemind.jobs.inspection import Fault, Finding, inspect, inspect_passing, owners
from samplemind.jobs.patrol import patrol
from samplemind.parts import Parts
from tests.domain.models import analysis, audio_file, batch_job, embedding, findings

_AT_ONCE = timedelta(seconds=-5)  # however young
_VECTOR = embedding(1.0)


async def _stored(parts: Parts, owner_id: str) -> tuple[AudioFile, Analysis]:
    """A file that is whole: bytes, row, analysis, vector."""
    file = audio_file(owner_id)
    await parts.blobs.put(file.blob_key, io.BytesIO(b"sound"))
    await parts.store.audio_files.add(file)
    found = findings(embedding=_VECTOR)
    done = analysis(owner_id, file.id, status=AnalysisStatus.SUCCEEDED, findings=found)
    await parts.store.analyses.add([done])
    await parts.store.audio_files.set_analysis(done)
    await parts.vectors.put(file, found)
    return file, done


async def _found(parts: Parts, owner_id: str, age: timedelta = _AT_ONCE) -> list[Finding]:
    return [finding async for finding in inspect(parts, owner_id, age)]


Break = Callable[[Parts, AudioFile, Analysis], Awaitable[str]]


async def _bytes_without_file(parts: Parts, file: AudioFile, run: Analysis) -> str:
    key = audio_file(file.owner_id).blob_key
    await parts.blobs.put(key, io.BytesIO(b"stray"))
    return key


async def _vector_without_file(parts: Parts, file: AudioFile, run: Analysis) -> str:
    stray = audio_file(file.owner_id)
    await parts.vectors.put(stray, findings(embedding=_VECTOR))
    return stray.id


async def _file_without_vector(parts: Parts, file: AudioFile, run: Analysis) -> str:
    await parts.vectors.remove(file.owner_id, file.id)
    return file.id


async def _vectors_of_another_engine(parts: Parts, file: AudioFile, run: Analysis) -> str:
    client = await parts.vectors._connected()
    await client.create_collection(f"sounds-0-{file.owner_id}", embedding_function=None)
    return "0"


async def _analysis_without_file(parts: Parts, file: AudioFile, run: Analysis) -> str:
    stray = analysis(file.owner_id, new_id(), status=AnalysisStatus.FAILED)
    await parts.store.analyses.add([stray])
    return stray.id


async def _analysis_without_batch(parts: Parts, file: AudioFile, run: Analysis) -> str:
    stray = analysis(
        file.owner_id, file.id, status=AnalysisStatus.SUCCEEDED, batch_id=new_id(), position=0
    )
    await parts.store.analyses.add([stray])
    return stray.id


async def _batch_miscounted(parts: Parts, file: AudioFile, run: Analysis) -> str:
    batch = await parts.store.batch_jobs.add(batch_job(file.owner_id, 1))
    item = analysis(
        file.owner_id, file.id, status=AnalysisStatus.SUCCEEDED, batch_id=batch.id, position=0
    )
    await parts.store.analyses.add([item])
    return batch.id


_BREAKS: dict[Fault, Break] = {
    Fault.BYTES_WITHOUT_FILE: _bytes_without_file,
    Fault.VECTOR_WITHOUT_FILE: _vector_without_file,
    Fault.FILE_WITHOUT_VECTOR: _file_without_vector,
    Fault.VECTORS_OF_ANOTHER_ENGINE: _vectors_of_another_engine,
    Fault.ANALYSIS_WITHOUT_FILE: _analysis_without_file,
    Fault.ANALYSIS_WITHOUT_BATCH: _analysis_without_batch,
    Fault.BATCH_MISCOUNTED: _batch_miscounted,
}


async def test_what_is_whole_is_left_alone(parts: Parts, owner_id: str) -> None:
    file, _ = await _stored(parts, owner_id)
    basic = audio_file(owner_id)
    await parts.blobs.put(basic.blob_key, io.BytesIO(b"sound"))
    await parts.store.audio_files.add(basic)
    waiting = analysis(owner_id, file.id, batch_id=new_id(), position=0)
    await parts.store.analyses.add([waiting])
    assert await _found(parts, owner_id) == []
    assert owner_id in await owners(parts)


@pytest.mark.parametrize("fault", _BREAKS)
async def test_a_fault_is_found_and_mended(parts: Parts, owner_id: str, fault: Fault) -> None:
    file, done = await _stored(parts, owner_id)
    subject = await _BREAKS[fault](parts, file, done)
    [found] = await _found(parts, owner_id)
    assert (found.fault, found.owner_id, found.subject) == (fault, owner_id, subject)
    assert found.mend
    await found.mend()
    assert await _found(parts, owner_id) == []
    [near] = await parts.vectors.nearest(owner_id, _VECTOR, 5)
    assert near.audio_file_id == file.id
    assert await parts.blobs.size(file.blob_key) == 5


async def test_lost_bytes_are_told_of_and_nothing_is_removed(parts: Parts, owner_id: str) -> None:
    file, _ = await _stored(parts, owner_id)
    await parts.blobs.remove(file.blob_key)
    assert await _found(parts, owner_id) == [
        Finding(Fault.FILE_WITHOUT_BYTES, owner_id, file.id, None)
    ]


async def test_young_bytes_may_belong_to_an_upload_that_goes_on(
    parts: Parts, owner_id: str
) -> None:
    file, done = await _stored(parts, owner_id)
    await _bytes_without_file(parts, file, done)
    assert await _found(parts, owner_id, timedelta(minutes=1)) == []


async def test_bytes_that_were_written_again_meanwhile_stay(parts: Parts, owner_id: str) -> None:
    file = audio_file(owner_id)
    await parts.blobs.put(file.blob_key, io.BytesIO(b"stray"))
    [found] = await _found(parts, owner_id)
    await parts.blobs.put(file.blob_key, io.BytesIO(b"again"))
    await parts.store.audio_files.add(file)
    assert found.mend
    await found.mend()
    assert await parts.blobs.size(file.blob_key) == 5


async def test_bytes_in_passing_that_nobody_waits_for(parts: Parts, owner_id: str) -> None:
    keys = [f"unsaved/{new_id()}", f"uploads/{owner_id}/{new_id()}"]
    for key in keys:
        await parts.blobs.put(key, io.BytesIO(b"sound"))
    found = [each async for each in inspect_passing(parts, _AT_ONCE) if each.subject in keys]
    assert {each.subject for each in found} == set(keys)
    for each in found:
        assert each.mend
        await each.mend()
    assert [await parts.blobs.size(key) for key in keys] == [None, None]


async def test_a_patrol_mends_and_goes_on_where_it_was(parts: Parts) -> None:
    first, second = new_id(), new_id()
    for owner_id in (first, second):
        file, _ = await _stored(parts, owner_id)
        await parts.vectors.remove(owner_id, file.id)
    cursor = "samplemind:patrol:last"
    before = max(each for each in await owners(parts) if each < first)
    await parts.events.redis.set(cursor, before)
    # No time for more than one owner.
    await patrol(parts, seconds=0)
    assert await _found(parts, first, timedelta(hours=1)) == []
    assert await _found(parts, second, timedelta(hours=1)) != []
    await patrol(parts, seconds=60)
    assert await _found(parts, second, timedelta(hours=1)) == []
    assert await parts.events.redis.get(cursor) is None
    assert ENGINE_VERSION in await parts.vectors.versions(first)
