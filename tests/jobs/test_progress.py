"""What a subscriber of a batch sees: every change in order, to the end, whatever is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from resolvers.batch_jobs import batch_progress
from resolvers.scope import Scope
from samplemind.domain.analysis import Analysis, AnalysisLevel, Findings
from samplemind.domain.batch_job import BatchJob, BatchProgress, BatchStatus
from samplemind.domain.ids import new_id
from samplemind.jobs.analysis import run_analysis
from samplemind.jobs.progress import publish_progress
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store.database import Database, connect
from tests.domain.models import analysis, audio_file, batch_job, user

_START, _END = {"queued": -1, "running": 1}, {"running": -1, "completed": 1}


def _nothing(path: Path, level: AnalysisLevel) -> Findings:
    return Findings()


@pytest.fixture
def scope(parts: Parts, owner_id: str) -> Scope:
    return Scope(parts, user(owner_id))


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    client, database = connect(settings.mongo_url)
    yield database
    client.close()


async def _batch(scope: Scope, total: int) -> BatchJob:
    """As create_batch_job stores it: its making is change number 1."""
    batch = await scope.parts.store.batch_jobs.add(batch_job(scope.owner_id, total))
    await scope.parts.store.batch_jobs.log(BatchProgress(1, batch, None))
    return batch


class _Watcher:
    """Collects what a subscription yields, from when it has yielded its first."""

    def __init__(self, scope: Scope, batch: BatchJob, after: int | None = 0) -> None:
        self.seen: list[BatchProgress] = []
        self._moved = asyncio.Event()
        self.task = asyncio.create_task(self._watch(scope.for_operation(), batch, after))

    async def _watch(self, scope: Scope, batch: BatchJob, after: int | None) -> None:
        async with aclosing(batch_progress(scope, batch, after)) as changes:  # pyright: ignore
            async for change in changes:
                self.seen.append(change)
                self._moved.set()

    async def begun(self) -> "_Watcher":
        await asyncio.wait_for(self._moved.wait(), 5)
        return self

    async def until(self, sequence: int) -> list[int]:
        async with asyncio.timeout(5):
            while not self.seen or self.seen[-1].sequence < sequence:
                self._moved.clear()
                await self._moved.wait()
        return self.sequences

    async def ended(self) -> list[int]:
        await asyncio.wait_for(self.task, 5)
        return self.sequences

    @property
    def sequences(self) -> list[int]:
        return [change.sequence for change in self.seen]


async def _lose(database: Database, batch: BatchJob, sequence: int) -> None:
    """What remains where a worker died between the count and the log."""
    key = f"{batch.id}:{sequence:08d}"
    assert (await database["batch_changes"].delete_one({"key": key})).deleted_count == 1


async def _cut(parts: Parts) -> None:
    await parts.events.redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")


async def test_every_change_arrives_in_order_from_many_workers(scope: Scope) -> None:
    parts, owner = scope.parts, scope.owner_id
    batch = await _batch(scope, 8)
    runs: list[Analysis] = []
    for position in range(8):
        # Their bytes are missing, so every other ends in a failure.
        file = await parts.store.audio_files.add(audio_file(owner))
        audio_file_id = file.id if position % 2 else new_id()
        runs.append(analysis(owner, audio_file_id, batch_id=batch.id, position=position))
    await parts.store.analyses.add(runs)
    early, late = _Watcher(scope, batch), _Watcher(scope, batch, None)
    await early.begun()
    await late.begun()
    await asyncio.gather(*(run_analysis(parts, _nothing, run.id) for run in runs))
    assert await early.ended() == list(range(1, 18))
    assert await late.ended() == list(range(1, 18))
    for watcher in (early, late):
        assert [change.batch_job.sequence for change in watcher.seen] == watcher.sequences
        assert watcher.seen[-1].batch_job.is_finished
        assert not any(change.batch_job.is_finished for change in watcher.seen[:-1])
    items = [change.item for change in early.seen if change.item]
    assert {item.analysis_id for item in items} == {run.id for run in runs}
    assert len(items) == 16


async def test_an_ended_batch_tells_its_story_and_ends(scope: Scope) -> None:
    batch = await _batch(scope, 1)
    for step in (_START, _END):
        await scope.parts.store.batch_jobs.advance(batch.id, 0, step, None)
    assert await _Watcher(scope, batch).ended() == [1, 2, 3]
    assert await _Watcher(scope, batch, 2).ended() == [3]
    assert await _Watcher(scope, batch, 3).ended() == []
    now = _Watcher(scope, batch, None)
    assert await now.ended() == [3]
    assert now.seen[0].batch_job.status is BatchStatus.SUCCEEDED


@pytest.mark.parametrize("after", [-1, 4, 2**31 - 1])
async def test_a_number_that_never_was_does_not_hang(scope: Scope, after: int) -> None:
    batch = await _batch(scope, 1)
    await scope.parts.store.batch_jobs.advance(batch.id, 0, _START, None)
    watcher = _Watcher(scope, batch, after)
    await asyncio.sleep(0.2)
    if progress := await scope.parts.store.batch_jobs.advance(batch.id, 0, _END, None):
        await publish_progress(scope.parts, progress)
    assert await watcher.ended() == ([1, 2, 3] if after < 0 else [3])


async def test_who_is_told_early_waits_for_who_is_late(scope: Scope, database: Database) -> None:
    parts = scope.parts
    batch = await _batch(scope, 2)
    watcher = await _Watcher(scope, batch).begun()
    second = await parts.store.batch_jobs.advance(batch.id, 0, _START, None)
    await _lose(database, batch, 2)  # counted, not yet logged
    third = await parts.store.batch_jobs.advance(batch.id, 0, _START, None)
    assert second
    assert third
    await publish_progress(parts, third)
    await asyncio.sleep(0.2)
    assert watcher.sequences == [1]
    await publish_progress(parts, second)
    assert await watcher.until(3) == [1, 2, 3]
    watcher.task.cancel()


async def test_what_was_told_twice_is_seen_once(scope: Scope) -> None:
    batch = await _batch(scope, 1)
    watcher = await _Watcher(scope, batch).begun()
    for step in (_START, _END):
        progress = await scope.parts.store.batch_jobs.advance(batch.id, 0, step, None)
        assert progress
        for _ in range(3):
            await publish_progress(scope.parts, progress)
    assert await watcher.ended() == [1, 2, 3]


async def test_what_nobody_told_is_read_after_a_cut(scope: Scope) -> None:
    batch = await _batch(scope, 1)
    watcher = await _Watcher(scope, batch).begun()
    for step in (_START, _END):
        await scope.parts.store.batch_jobs.advance(batch.id, 0, step, None)
    await _cut(scope.parts)
    assert await watcher.ended() == [1, 2, 3]


async def test_a_lost_number_is_skipped_in_the_end(scope: Scope, database: Database) -> None:
    batch = await _batch(scope, 2)
    watcher = await _Watcher(scope, batch).begun()
    for _ in range(2):
        await scope.parts.store.batch_jobs.advance(batch.id, 0, _START, None)
    await _lose(database, batch, 2)
    await _cut(scope.parts)
    assert await watcher.until(3) == [1, 3]
    watcher.task.cancel()


async def test_a_lost_last_number_does_not_hold_the_end(scope: Scope, database: Database) -> None:
    batch = await _batch(scope, 1)
    watcher = await _Watcher(scope, batch).begun()
    for step in (_START, _END):
        await scope.parts.store.batch_jobs.advance(batch.id, 0, step, None)
    await _lose(database, batch, 3)
    await _cut(scope.parts)
    assert await watcher.ended() == [1, 2, 3]
    assert watcher.seen[-1].batch_job.status is BatchStatus.SUCCEEDED
    # The same for who comes only now.
    later = await _Watcher(scope, batch).begun()
    await later.until(2)
    await _cut(scope.parts)
    assert await later.ended() == [1, 2, 3]
