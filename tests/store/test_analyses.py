"""Runs of the analysis: who may move one on, and what is kept of it."""

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from samplemind.domain.analysis import Analysis, AnalysisStatus, Failure, Findings
from samplemind.domain.ids import new_id
from samplemind.domain.paging import Window
from samplemind.parts import Parts
from samplemind.store.analyses import Analyses
from tests.domain.models import analysis, batch_job, embedding, findings

_FAILURE = Failure("NO_DECODABLE_SOUND", "Nothing decodes.")
_ALL = Window(100)


async def _added(store: Analyses, owner_id: str, **fields: Any) -> Analysis:
    made = analysis(owner_id, fields.pop("audio_file_id", None) or new_id(), **fields)
    await store.add([made])
    return made


async def _stored(store: Analyses, made: Analysis) -> Analysis:
    [found] = await store.by_ids(made.owner_id, [made.id])
    assert found
    return found


async def test_one_of_many_workers_starts_it(parts: Parts, owner_id: str) -> None:
    store = parts.store.analyses
    made = await _added(store, owner_id)
    answers = await asyncio.gather(*(store.start(made) for _ in range(20)))
    [won] = [answer for answer in answers if answer]
    assert (won.status, won.attempts) == (AnalysisStatus.RUNNING, 1)
    assert await _stored(store, made) == won


async def test_a_lost_workers_run_starts_again_only_when_asked(parts: Parts, owner_id: str) -> None:
    store = parts.store.analyses
    made = await _added(store, owner_id)
    first = await store.start(made, again=True)
    assert first
    assert first.attempts == 1
    assert await store.start(made) is None
    second = await store.start(first, again=True)
    assert second
    assert (second.status, second.attempts) == (AnalysisStatus.RUNNING, 2)


@pytest.mark.parametrize("status", [s for s in AnalysisStatus if s is not AnalysisStatus.RUNNING])
async def test_only_what_runs_can_end(parts: Parts, owner_id: str, status: AnalysisStatus) -> None:
    store = parts.store.analyses
    made = await _added(store, owner_id, status=status)
    assert await store.succeed(made, findings(), 1.0) is None
    assert await store.fail(made, _FAILURE, 1.0) is None
    assert await _stored(store, made) == made
    if status is not AnalysisStatus.QUEUED:
        assert await store.start(made, again=True) is None


async def test_it_ends_once_with_its_results(parts: Parts, owner_id: str) -> None:
    store = parts.store.analyses
    made = await _added(store, owner_id)
    started = await store.start(made)
    assert started
    ends = await asyncio.gather(
        *(store.succeed(started, findings(embedding=None), 1.5) for _ in range(10)),
        *(store.fail(started, _FAILURE, 2.5) for _ in range(10)),
    )
    [end] = [end for end in ends if end]
    assert await _stored(store, made) == end
    assert end.finished_at
    if end.status is AnalysisStatus.SUCCEEDED:
        assert (end.findings, end.failure) == (findings(embedding=None), None)
        assert end.processing_seconds == 1.5
    else:
        assert (end.status, end.failure) == (AnalysisStatus.FAILED, _FAILURE)
        assert end.processing_seconds == 2.5


async def test_a_failure_is_kept_with_its_reason(parts: Parts, owner_id: str) -> None:
    store = parts.store.analyses
    made = await _added(store, owner_id)
    started = await store.start(made)
    assert started
    failed = await store.fail(started, _FAILURE, 0.5)
    assert failed
    assert (failed.status, failed.failure) == (AnalysisStatus.FAILED, _FAILURE)
    assert failed.finished_at
    assert await _stored(store, made) == failed


async def test_a_batch_moves_what_is_in_the_state_before(parts: Parts, owner_id: str) -> None:
    store, batch_id = parts.store.analyses, new_id()
    runs = [
        analysis(owner_id, new_id(), batch_id=batch_id, position=position, status=status)
        for position, status in enumerate([*AnalysisStatus, *AnalysisStatus])
    ]
    elsewhere = analysis(owner_id, new_id(), batch_id=new_id(), position=0)
    await store.add([*runs, elsewhere])
    queued, cancelled = AnalysisStatus.QUEUED, AnalysisStatus.CANCELLED
    assert await store.move_batch(new_id(), batch_id, queued, cancelled) == []
    moved = await store.move_batch(owner_id, batch_id, queued, cancelled)
    assert moved == [run.id for run in runs if run.status is queued]
    assert await store.move_batch(owner_id, batch_id, queued, cancelled) == []
    page = await store.page_of_batch(owner_id, batch_id, _ALL, None)
    statuses = [cancelled if run.status is queued else run.status for run in runs]
    assert [row.value.status for row in page.rows] == statuses
    assert all(row.value.finished_at for row in page.rows if row.value.id in (runs[0].id,))
    assert (await _stored(store, elsewhere)).status is queued
    assert await store.start(runs[0], again=True) is None


async def test_what_is_queued_again_begins_anew(parts: Parts, owner_id: str) -> None:
    store, batch_id = parts.store.analyses, new_id()
    made = await _added(store, owner_id, batch_id=batch_id, position=0)
    await store.start(made)
    await store.fail(made, _FAILURE, 1.0)
    failed, queued = AnalysisStatus.FAILED, AnalysisStatus.QUEUED
    assert await store.move_batch(owner_id, batch_id, failed, queued) == [made.id]
    again = await _stored(store, made)
    assert again.finished_at is None
    assert again.failure is None
    started = await store.start(made)
    assert started
    assert started.attempts == 1


async def test_the_items_of_a_batch_are_listed_in_its_order(parts: Parts, owner_id: str) -> None:
    store, batch_id = parts.store.analyses, new_id()
    failed, queued = AnalysisStatus.FAILED, AnalysisStatus.QUEUED
    runs = [
        analysis(
            owner_id, new_id(), batch_id=batch_id, position=n, status=failed if n % 3 else queued
        )
        for n in range(12)
    ]
    await store.add(runs[::-1])
    page = await store.page_of_batch(owner_id, batch_id, Window(5), None)
    assert [row.value for row in page.rows] == runs[:5]
    page = await store.page_of_batch(owner_id, batch_id, _ALL, queued)
    assert [row.value for row in page.rows] == runs[::3]
    await store.forget_batch(owner_id, batch_id)
    assert (await store.page_of_batch(owner_id, batch_id, _ALL, None)).rows == []


async def test_a_forgotten_file_leaves_only_the_batch_items_without_results(
    parts: Parts, owner_id: str
) -> None:
    store, file_id, batch_id = parts.store.analyses, new_id(), new_id()
    alone = [
        analysis(owner_id, file_id, status=status, findings=findings()) for status in AnalysisStatus
    ]
    in_batch = analysis(
        owner_id,
        file_id,
        status=AnalysisStatus.SUCCEEDED,
        findings=findings(),
        batch_id=batch_id,
        position=0,
    )
    other_file = analysis(owner_id, new_id(), findings=findings(embedding=None))
    await store.add([*alone, in_batch, other_file])
    await store.forget_file(new_id(), file_id)
    assert len((await store.page_of_file(owner_id, file_id, _ALL)).rows) == 6
    await store.forget_file(owner_id, file_id)
    page = await store.page_of_file(owner_id, file_id, _ALL)
    left = {run.id for run in alone if not run.status.is_final} | {in_batch.id}
    assert {row.value.id for row in page.rows} == left
    assert all(row.value.findings == Findings() for row in page.rows)
    assert [await store.embedding(owner_id, id_) for id_ in left] == [None] * 3
    assert await _stored(store, other_file) == other_file


async def test_analyses_of_a_file_are_listed_newest_first(parts: Parts, owner_id: str) -> None:
    store, file_id = parts.store.analyses, new_id()
    runs = [await _added(store, owner_id, audio_file_id=file_id) for _ in range(5)]
    await _added(store, new_id(), audio_file_id=file_id)
    page = await store.page_of_file(owner_id, file_id, Window(3))
    assert [row.value for row in page.rows] == runs[:1:-1]
    page = await store.page_of_file(owner_id, file_id, Window(3, after=page.rows[-1].key))
    assert [row.value for row in page.rows] == runs[1::-1]


_WINDOWS = [
    Window(100),
    Window(2),
    Window(2, True),
    Window(0),
    Window(3, after="00000001"),
    Window(3, True, before="00000003"),
]


@pytest.mark.parametrize("window", _WINDOWS)
async def test_many_files_are_read_as_each_alone(
    parts: Parts, owner_id: str, window: Window
) -> None:
    store = parts.store.analyses
    files = [new_id() for _ in range(3)]
    for file in (*files, *files[:2], files[0]):
        await _added(store, owner_id, audio_file_id=file)
    await _added(store, new_id(), audio_file_id=files[0])
    asked = [*files, new_id()]
    alone = [await store.page_of_file(owner_id, file, window) for file in asked]
    assert await store.pages_of_files(owner_id, asked, window) == alone
    assert sum(len(page.rows) for page in alone) or window.size == 0 or window.after
    assert [page.rows for page in await store.pages_of_files(new_id(), asked, window)] == [[]] * 4


@pytest.mark.parametrize("status", [None, AnalysisStatus.FAILED])
@pytest.mark.parametrize("window", _WINDOWS)
async def test_many_batches_are_read_as_each_alone(
    parts: Parts, owner_id: str, window: Window, status: AnalysisStatus | None
) -> None:
    store = parts.store.analyses
    batches = [batch_job(owner_id, total) for total in (5, 1, 3)]
    for batch in batches:
        for position in range(batch.total):
            failed = AnalysisStatus.FAILED if position % 2 else AnalysisStatus.QUEUED
            await _added(store, owner_id, batch_id=batch.id, position=position, status=failed)
    alone = [await store.page_of_batch(owner_id, batch.id, window, status) for batch in batches]
    assert await store.pages_of_batches(owner_id, batches, window, status) == alone
    others = await store.pages_of_batches(new_id(), batches, window, status)
    assert [page.rows for page in others] == [[]] * 3


async def test_another_owner_reads_nothing(parts: Parts, owner_id: str) -> None:
    store, other = parts.store.analyses, new_id()
    made = await _added(store, owner_id, findings=findings())
    assert await store.by_ids(other, [made.id]) == [None]
    assert (await store.page_of_file(other, made.audio_file_id, _ALL)).rows == []
    assert await store.embedding(other, made.id) is None
    assert await store.by_ids(owner_id, ["x", made.id]) == [None, await _stored(store, made)]


async def test_the_vector_comes_back_to_the_bit_and_only_when_asked(
    parts: Parts, owner_id: str
) -> None:
    store = parts.store.analyses
    random = np.random.default_rng(3).standard_normal(122).astype(np.float32)
    vector = tuple(random.tolist())
    made = await _added(store, owner_id)
    await store.start(made)
    await store.succeed(made, findings(embedding=vector), 1.0)
    assert tuple(await store.embedding(owner_id, made.id) or ()) == vector
    assert (await _stored(store, made)).findings == findings(embedding=None)
    bare = await _added(store, owner_id)
    assert await store.embedding(owner_id, bare.id) is None
    assert await store.embedding(owner_id, "missing") is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False), min_size=4, max_size=4))
async def test_any_float32_survives(parts: Parts, numbers: list[float]) -> None:
    owner_id = new_id()
    made = await _added(
        parts.store.analyses, owner_id, findings=findings(embedding=embedding(*numbers))
    )
    stored = await parts.store.analyses.embedding(owner_id, made.id)
    assert stored == list(embedding(*numbers))
