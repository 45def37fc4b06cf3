"""Running an analysis on real parts, with an analyzer that answers as the test needs."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from resolvers.analyses import known_analyses, request_analysis
from resolvers.audio_files import delete_audio_file
from resolvers.batch_jobs import cancel_batch_job, create_batch_job, retry_batch_job
from resolvers.scope import Scope
from samplemind.domain.analysis import (
    Analysis,
    AnalysisLevel,
    AnalysisOptions,
    AnalysisStatus,
    Findings,
    SampleKind,
)
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.batch_job import BatchJob, BatchStatus
from samplemind.domain.errors import NoSound
from samplemind.domain.library import AudioFileFilter
from samplemind.domain.paging import Window
from samplemind.events import file_channel
from samplemind.jobs.analysis import give_up, run_analysis
from samplemind.parts import Parts
from tests.domain.models import analysis, audio_file, embedding, findings, user

_FOUND = findings(embedding=embedding(1.0))

Upload = Callable[[bytes], Awaitable[AudioFile]]


def _finds(path: Path, level: AnalysisLevel) -> Findings:
    return _FOUND


def _by_content(path: Path, level: AnalysisLevel) -> Findings:
    """What the bytes say: a sound, none, or a fault of ours."""
    match path.read_bytes()[:4]:
        case b"none":
            raise NoSound("Nothing decodes.")
        case b"huge":
            raise MemoryError
        case b"bang":
            raise ZeroDivisionError("secret detail")
    return _FOUND


def _never(path: Path, level: AnalysisLevel) -> Findings:
    raise AssertionError("must not be asked")


@pytest.fixture
def upload(parts: Parts, owner_id: str, tmp_path: Path) -> Upload:
    async def upload(content: bytes) -> AudioFile:
        file = audio_file(owner_id, filename=f"{content.decode()}.wav")
        path = tmp_path / file.id
        path.write_bytes(content)
        await parts.blobs.put(file.blob_key, path)
        return await parts.store.audio_files.add(file)

    return upload


@pytest.fixture
def scope(parts: Parts, owner_id: str) -> Scope:
    return Scope(parts, user(owner_id))


async def _asked(parts: Parts, file: AudioFile, **fields: object) -> Analysis:
    made = analysis(file.owner_id, file.id, **fields)
    await parts.store.analyses.add([made])
    return made


async def _stored(parts: Parts, made: Analysis) -> Analysis:
    [found] = await parts.store.analyses.by_ids(made.owner_id, [made.id])
    assert found
    return found


async def test_what_is_found_is_stored_wherever_it_is_read(
    parts: Parts, upload: Upload, owner_id: str
) -> None:
    file = await upload(b"sound")
    asked = await _asked(parts, file, level=AnalysisLevel.DETAILED)
    met: list[tuple[bytes, AnalysisLevel]] = []

    def analyze(path: Path, level: AnalysisLevel) -> Findings:
        met.append((path.read_bytes(), level))
        return _FOUND

    async with parts.events.listen(file_channel(file.id)) as receive:
        await run_analysis(parts, analyze, asked.id)
        told = [await asyncio.wait_for(receive(), 5) for _ in range(2)]
    assert told == [asked.id.encode()] * 2
    assert met == [(b"sound", AnalysisLevel.DETAILED)]
    done = await _stored(parts, asked)
    assert (done.status, done.failure, done.attempts) == (AnalysisStatus.SUCCEEDED, None, 1)
    assert done.findings == findings(embedding=None)
    assert done.processing_seconds is not None
    assert tuple(await parts.store.analyses.embedding(owner_id, asked.id) or ()) == embedding(1.0)
    [stored] = await parts.store.audio_files.by_ids(owner_id, [file.id])
    assert stored
    assert stored.analysis_id == asked.id
    labelled = AudioFileFilter(labels=("bass",), analyzed=True)
    assert await parts.store.audio_files.ids(owner_id, labelled) == [file.id]
    [near] = await parts.vectors.nearest(owner_id, embedding(1.0), 5, labelled)
    assert near.audio_file_id == file.id


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"none", "NO_DECODABLE_SOUND"),
        (b"huge", "OUT_OF_MEMORY"),
        (b"bang", "ANALYSIS_FAILED"),
    ],
)
async def test_a_failure_is_stored_with_its_code(
    parts: Parts, upload: Upload, owner_id: str, content: bytes, code: str
) -> None:
    file = await upload(content)
    asked = await _asked(parts, file)
    await run_analysis(parts, _by_content, asked.id)
    failed = await _stored(parts, asked)
    assert failed.status is AnalysisStatus.FAILED
    assert failed.failure
    assert failed.failure.code == code
    assert "secret" not in failed.failure.message
    if code == "ANALYSIS_FAILED":
        assert any(len(word.strip("().")) == 24 for word in failed.failure.message.split())
    [stored] = await parts.store.audio_files.by_ids(owner_id, [file.id])
    assert stored == file
    assert await parts.vectors.nearest(owner_id, embedding(1.0), 5) == []


async def test_bytes_that_are_gone_fail_it(parts: Parts, upload: Upload, owner_id: str) -> None:
    file = await upload(b"sound")
    asked = await _asked(parts, file)
    await parts.blobs.remove(file.blob_key)
    await run_analysis(parts, _never, asked.id)
    failure = (await _stored(parts, asked)).failure
    assert failure
    assert failure.code == "AUDIO_MISSING"


async def test_a_deleted_file_ends_what_was_asked_of_it(
    parts: Parts, upload: Upload, scope: Scope
) -> None:
    file = await upload(b"sound")
    asked = await _asked(parts, file)
    await delete_audio_file(scope, file.id)
    await run_analysis(parts, _never, asked.id)
    failed = await _stored(parts, asked)
    assert failed.status is AnalysisStatus.FAILED
    assert failed.failure
    assert failed.failure.code == "AUDIO_FILE_DELETED"


async def test_a_file_deleted_meanwhile_leaves_nothing_behind(
    parts: Parts, upload: Upload, scope: Scope, owner_id: str
) -> None:
    file = await upload(b"sound")
    asked = await _asked(parts, file)

    async def delete() -> None:
        api = Parts.open(parts.settings)
        await delete_audio_file(Scope(api, scope.viewer), file.id)
        await api.close()

    def analyze(path: Path, level: AnalysisLevel) -> Findings:
        with ThreadPoolExecutor() as elsewhere:
            elsewhere.submit(asyncio.run, delete()).result(timeout=20)
        return _FOUND

    await run_analysis(parts, analyze, asked.id)
    assert await parts.vectors.nearest(owner_id, embedding(1.0), 5) == []
    assert await parts.store.analyses.embedding(owner_id, asked.id) is None


async def test_an_owner_deleted_meanwhile_leaves_no_vector_behind(
    parts: Parts, upload: Upload, owner_id: str
) -> None:
    asked = await _asked(parts, await upload(b"sound"))

    async def delete() -> None:
        api = Parts.open(parts.settings)
        await api.store.forget_library(owner_id)
        await api.vectors.forget_owner(owner_id)
        await api.close()

    def analyze(path: Path, level: AnalysisLevel) -> Findings:
        with ThreadPoolExecutor() as elsewhere:
            elsewhere.submit(asyncio.run, delete()).result(timeout=20)
        return _FOUND

    await run_analysis(parts, analyze, asked.id)
    client = await parts.vectors._connected()
    names = [collection.name for collection in await client.list_collections()]
    assert not [name for name in names if owner_id in name]


@pytest.mark.parametrize("status", [s for s in AnalysisStatus if s is not AnalysisStatus.QUEUED])
async def test_what_is_not_queued_any_more_is_left_alone(
    parts: Parts, upload: Upload, status: AnalysisStatus
) -> None:
    file = await upload(b"sound")
    asked = await _asked(parts, file, status=status)
    await run_analysis(parts, _never, asked.id)
    assert await _stored(parts, asked) == asked
    await run_analysis(parts, _never, "missing")


async def test_two_workers_with_the_same_task_run_it_once(parts: Parts, upload: Upload) -> None:
    asked = await _asked(parts, await upload(b"sound"))
    runs: list[Path] = []

    def analyze(path: Path, level: AnalysisLevel) -> Findings:
        runs.append(path)
        return _FOUND

    await asyncio.gather(*(run_analysis(parts, analyze, asked.id) for _ in range(5)))
    assert len(runs) == 1


async def test_a_file_that_takes_its_worker_down_does_so_three_times_only(
    parts: Parts, upload: Upload
) -> None:
    class Killed(BaseException):
        """What no handler of ours sees, as with kill -9."""

    def dies(path: Path, level: AnalysisLevel) -> Findings:
        raise Killed

    asked = await _asked(parts, await upload(b"sound"))
    for attempt in (1, 2, 3):
        with pytest.raises(Killed):
            await run_analysis(parts, dies, asked.id, again=attempt > 1)
        running = await _stored(parts, asked)
        assert (running.status, running.attempts) == (AnalysisStatus.RUNNING, attempt)
    await run_analysis(parts, _never, asked.id, again=True)
    failure = (await _stored(parts, asked)).failure
    assert failure
    assert failure.code == "WORKER_LOST"


async def test_one_that_took_too_long_is_given_up_and_counted(scope: Scope, upload: Upload) -> None:
    class Killed(BaseException):
        """As the main process of a worker ends one of its own."""

    def hangs(path: Path, level: AnalysisLevel) -> Findings:
        raise Killed

    parts = scope.parts
    batch, [id_] = await _batch_of(scope, upload, b"sound")
    with pytest.raises(Killed):
        await run_analysis(parts, hangs, id_)
    await give_up(parts, id_, 540)
    [given_up] = await parts.store.analyses.by_ids(scope.owner_id, [id_])
    assert given_up
    assert given_up.failure
    assert given_up.failure.code == "ANALYSIS_TIMEOUT"
    assert "540 s" in given_up.failure.message
    ended = await _reread(scope, batch)
    assert (ended.status, _counts(ended)) == (BatchStatus.FAILED, (0, 0, 0, 1, 0))
    await give_up(parts, id_, 540)
    assert await _reread(scope, batch) == ended


async def test_who_asks_less_later_loses_nothing(
    scope: Scope, upload: Upload, owner_id: str
) -> None:
    parts, file = scope.parts, await upload(b"sound")

    def analyze(path: Path, level: AnalysisLevel) -> Findings:
        if level is AnalysisLevel.BASIC:
            return Findings(kind=SampleKind.LOOP)
        return findings(embedding=embedding(1.0), fingerprint=b"print")

    deep = await request_analysis(scope, file, AnalysisOptions(AnalysisLevel.DETAILED))
    await run_analysis(parts, analyze, deep.id)
    forced = deep
    # More of them than are looked through for an answer.
    for _ in range(11):
        forced = await request_analysis(
            scope, file, AnalysisOptions(AnalysisLevel.BASIC), force=True
        )
        await run_analysis(parts, analyze, forced.id)
    assert (await _stored(parts, forced)).status is AnalysisStatus.SUCCEEDED
    scope.forget()
    [stored] = await parts.store.audio_files.by_ids(owner_id, [file.id])
    assert stored
    [known] = await known_analyses(scope, [stored])
    assert known
    assert known.id == deep.id
    assert known.findings.labels
    assert await parts.store.audio_files.ids(owner_id, AudioFileFilter(labels=("bass",)))
    assert await parts.store.analyses.fingerprints(owner_id, [known.id]) == [b"print"]
    assert await parts.vectors.nearest(owner_id, embedding(1.0), 5)
    for level in (AnalysisLevel.STANDARD, AnalysisLevel.DETAILED):
        assert (await request_analysis(scope, stored, AnalysisOptions(level))).id == deep.id
    assert (
        await request_analysis(scope, stored, AnalysisOptions(AnalysisLevel.PROFESSIONAL))
    ).id > forced.id


async def _batch_of(scope: Scope, upload: Upload, *contents: bytes) -> tuple[BatchJob, list[str]]:
    """A batch of files with these contents, and the ids of its analyses."""
    files = [await upload(content) for content in contents]
    batch = await create_batch_job(
        scope, [f.id for f in files], None, AnalysisOptions(AnalysisLevel.BASIC)
    )
    return batch, await _queued(scope, batch)


async def _queued(scope: Scope, batch: BatchJob) -> list[str]:
    store = scope.parts.store.analyses
    queued = AnalysisStatus.QUEUED
    page = await store.page_of_batch(scope.owner_id, batch.id, Window(50), queued)
    return [row.value.id for row in page.rows]


async def _run(scope: Scope, ids: list[str]) -> None:
    await asyncio.gather(*(run_analysis(scope.parts, _by_content, id_) for id_ in ids))


async def _reread(scope: Scope, batch: BatchJob) -> BatchJob:
    [found] = await scope.parts.store.batch_jobs.by_ids(scope.owner_id, [batch.id])
    assert found
    return found


def _counts(batch: BatchJob) -> tuple[int, ...]:
    return batch.queued, batch.running, batch.completed, batch.failed, batch.cancelled


@pytest.mark.parametrize(
    ("contents", "status", "counts"),
    [
        ([b"1", b"2", b"3"], BatchStatus.SUCCEEDED, (0, 0, 3, 0, 0)),
        ([b"1", b"none", b"3", b"bang"], BatchStatus.PARTIAL, (0, 0, 2, 2, 0)),
        ([b"none", b"bang"], BatchStatus.FAILED, (0, 0, 0, 2, 0)),
    ],
)
async def test_a_batch_ends_as_its_items_did(
    scope: Scope, upload: Upload, contents: list[bytes], status: BatchStatus, counts: tuple
) -> None:
    batch, ids = await _batch_of(scope, upload, *contents)
    assert len(ids) == len(contents)
    await _run(scope, ids)
    ended = await _reread(scope, batch)
    assert (ended.status, _counts(ended)) == (status, counts)
    # Made, then two steps an item.
    assert ended.sequence == 1 + 2 * len(contents)
    changes = await scope.parts.store.batch_jobs.changes(batch.id, 0)
    assert [change.sequence for change in changes] == list(range(1, ended.sequence + 1))
    assert all(min(_counts(change.batch_job)) >= 0 for change in changes)
    page = await scope.parts.store.analyses.page_of_batch(
        scope.owner_id, batch.id, Window(100), None
    )
    good = [content not in (b"none", b"bang") for content in contents]
    assert [row.value.status is AnalysisStatus.SUCCEEDED for row in page.rows] == good


async def test_what_was_cancelled_is_not_run(scope: Scope, upload: Upload) -> None:
    batch, ids = await _batch_of(scope, upload, b"1", b"2", b"3")
    await run_analysis(scope.parts, _finds, ids[0])
    await cancel_batch_job(scope, batch.id)
    await asyncio.gather(*(run_analysis(scope.parts, _never, id_) for id_ in ids))
    ended = await _reread(scope, batch)
    assert (ended.status, _counts(ended)) == (BatchStatus.CANCELLED, (0, 0, 1, 0, 2))


async def test_retrying_begins_anew_however_often(scope: Scope, upload: Upload) -> None:
    batch, ids = await _batch_of(scope, upload, b"sound", b"none")
    await _run(scope, ids)
    for _ in range(4):
        retried = await retry_batch_job(scope, batch.id)
        assert _counts(retried) == (1, 0, 1, 0, 0)
        [id_] = await _queued(scope, batch)
        await run_analysis(scope.parts, _by_content, id_)
        assert _counts(await _reread(scope, batch)) == (0, 0, 1, 1, 0)
        [item] = await scope.parts.store.analyses.by_ids(scope.owner_id, [id_])
        assert item
        assert item.failure
        assert item.failure.code == "NO_DECODABLE_SOUND"
    await retry_batch_job(scope, batch.id)
    await run_analysis(scope.parts, _finds, (await _queued(scope, batch))[0])
    ended = await _reread(scope, batch)
    assert (ended.status, _counts(ended)) == (BatchStatus.SUCCEEDED, (0, 0, 2, 0, 0))
