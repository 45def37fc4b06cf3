"""Batches: counts and the numbers of their changes agree, whoever advances them."""

import asyncio
from collections import Counter

import pytest
from pymongo.errors import DuplicateKeyError

from samplemind.domain.analysis import AnalysisStatus, Failure
from samplemind.domain.batch_job import BatchItem
from samplemind.domain.ids import new_id
from samplemind.domain.paging import Window
from samplemind.parts import Parts
from tests.domain.models import batch_job


async def test_concurrent_advances_leave_no_gap_and_no_miscount(
    parts: Parts, owner_id: str
) -> None:
    store = parts.store.batch_jobs
    batch = await store.add(batch_job(owner_id, 20))
    steps = [{"queued": -1, "running": 1}] * 20 + [{"running": -1, "completed": 1}] * 15
    answers = await asyncio.gather(*(store.advance(batch.id, 0, step, None) for step in steps))
    assert sorted(progress.sequence for progress in answers if progress) == list(range(2, 37))
    [stored] = await store.by_ids(owner_id, [batch.id])
    assert stored
    assert (stored.queued, stored.running, stored.completed) == (0, 5, 15)
    assert (stored.sequence, stored.total) == (36, 20)
    assert stored.updated_at > batch.updated_at
    changes = await store.changes(batch.id, 0)
    assert [change.sequence for change in changes] == list(range(2, 37))
    assert [change.batch_job.sequence for change in changes] == list(range(2, 37))
    moved = Counter(queued=20)
    for before, after in zip([batch, *(c.batch_job for c in changes)], changes, strict=False):
        now = after.batch_job
        counts = (now.queued - before.queued, now.running - before.running)
        assert counts in ((-1, 1), (0, -1))
        moved["queued"] += counts[0]
        assert now.queued == moved["queued"]
        assert now.queued + now.running + now.completed == 20


async def test_changes_tell_what_came_after(parts: Parts, owner_id: str) -> None:
    store = parts.store.batch_jobs
    batch = await store.add(batch_job(owner_id, 2))
    neighbour = await store.add(batch_job(owner_id, 2))
    failed = AnalysisStatus.FAILED
    item = BatchItem("file", "analysis", failed, Failure("NOT_AUDIO", "Not a sound."))
    await store.advance(batch.id, 0, {"queued": -1, "failed": 1}, item)
    await store.advance(neighbour.id, 0, {"queued": -1, "failed": 1}, None)
    last = await store.advance(batch.id, 0, {"queued": -1, "completed": 1}, None)
    first, second = await store.changes(batch.id, 0)
    assert (first.sequence, first.item) == (2, item)
    assert second == last
    assert await store.changes(batch.id, 2) == [last]
    assert await store.changes(batch.id, 3) == []
    assert await store.changes("missing", 0) == []


async def test_a_batch_that_is_not_there_does_not_advance(parts: Parts) -> None:
    assert await parts.store.batch_jobs.advance(new_id(), 0, {"queued": -1}, None) is None


async def test_an_idempotency_key_makes_one_batch_an_owner(parts: Parts, owner_id: str) -> None:
    store, other = parts.store.batch_jobs, new_id()
    key = "again:~\U0010fffd"
    made = [batch_job(owner_id, 1, idempotency_key=key) for _ in range(10)]
    answers = await asyncio.gather(*map(store.add, made))
    assert len({answer.id for answer in answers}) == 1
    assert await store.count(owner_id) == 1
    assert await store.by_idempotency_key(owner_id, key) == answers[0]
    theirs = batch_job(other, 1, idempotency_key=key)
    assert await store.add(theirs) == theirs
    assert await store.by_idempotency_key(owner_id, "another") is None


async def test_batches_without_a_key_do_not_meet(parts: Parts, owner_id: str) -> None:
    store = parts.store.batch_jobs
    batches = [await store.add(batch_job(owner_id, 1)) for _ in range(3)]
    assert await store.count(owner_id) == 3
    with pytest.raises(DuplicateKeyError):
        await store.add(batches[0])


async def test_batches_are_listed_newest_first_to_their_owner(parts: Parts, owner_id: str) -> None:
    store, other = parts.store.batch_jobs, new_id()
    batches = [await store.add(batch_job(owner_id, 1)) for _ in range(5)]
    await store.add(batch_job(other, 1))
    page = await store.page(owner_id, Window(3))
    assert [row.value for row in page.rows] == batches[:1:-1]
    assert page.has_next
    assert await store.count(other) == 1
    ids = [batches[1].id, "missing", batches[0].id]
    assert await store.by_ids(owner_id, ids) == [batches[1], None, batches[0]]
    assert await store.by_ids(other, ids) == [None] * 3
