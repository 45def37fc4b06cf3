"""What is left half done by whoever died, between any two steps, is found and put right."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import timedelta

import pytest

from resolvers.batch_jobs import create_batch_job
from resolvers.scope import Scope
from resolvers.webhooks import create_webhook
from samplemind.domain.analysis import (
    Analysis,
    AnalysisLevel,
    AnalysisOptions,
    AnalysisStatus,
    Lane,
)
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.ids import now
from samplemind.domain.paging import Window
from samplemind.domain.webhook import WebhookEvent
from samplemind.jobs.app import QUEUES
from samplemind.jobs.presence import WorkerPresence
from samplemind.jobs.progress import tell_moved
from samplemind.jobs.queue import queued_ids
from samplemind.jobs.reconcile import reconcile
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store.database import Database, connect
from samplemind.store.places import Stage
from tests.domain.models import analysis, audio_file, embedding, findings, user

_BASIC = AnalysisOptions(AnalysisLevel.BASIC)
_RUNNING = AnalysisStatus.RUNNING
_ENDS = [WebhookEvent.BATCH_JOB_FINISHED, WebhookEvent.ANALYSIS_FINISHED]
_WORKER = "samplemind:worker:test:1"


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    client, database = connect(settings.mongo_url)
    yield database
    client.close()


@pytest.fixture(autouse=True)
async def queue(parts: Parts, database: Database) -> AsyncIterator[None]:
    """Nothing of other tests is found, and this Redis is not taken for one just started."""
    await parts.events.redis.delete(*QUEUES, _WORKER)
    await database["analyses"].update_many({"place": {"$gt": ""}}, {"$unset": {"place": ""}})
    while (await parts.events.redis.info("server"))["uptime_in_seconds"] <= 10:
        await parts.events.redis.blpop(["nothing"], timeout=1)  # pyright: ignore
    yield
    await parts.events.redis.delete(*QUEUES, _WORKER)


@pytest.fixture
def scope(parts: Parts, owner_id: str) -> Scope:
    return Scope(parts, user(owner_id))


async def _long_ago(database: Database, ids: Sequence[str]) -> None:
    """As if the last step of these had been a minute ago."""
    moment = now() - timedelta(minutes=1)
    await database["analyses"].update_many(
        {"_id": {"$in": list(ids)}}, {"$set": {"placed_at": moment}}
    )


async def _asked(parts: Parts, owner_id: str, stage: Stage = Stage.WAITING) -> Analysis:
    file = await parts.store.audio_files.add(audio_file(owner_id))
    made = analysis(owner_id, file.id, lane=Lane.BATCH)
    await parts.store.analyses.add([made], stage)
    return made


async def _batch(scope: Scope, count: int) -> tuple[BatchJob, list[Analysis]]:
    """A batch, and its items."""
    store = scope.parts.store
    files = [await store.audio_files.add(audio_file(scope.owner_id)) for _ in range(count)]
    batch = await create_batch_job(scope, [f.id for f in files], None, _BASIC)
    page = await store.analyses.page_of_batch(scope.owner_id, batch.id, Window(50), None)
    return batch, [row.value for row in page.rows]


async def _counts(scope: Scope, batch: BatchJob) -> tuple[int, ...]:
    [found] = await scope.parts.store.batch_jobs.by_ids(scope.owner_id, [batch.id])
    assert found
    return found.queued, found.running, found.completed, found.failed, found.cancelled


async def _hold(parts: Parts, *ids: str) -> None:
    """A worker says that it has these."""
    presence = WorkerPresence("test:1", 1, "0", "0", ids)
    await parts.events.redis.set(_WORKER, json.dumps(asdict(presence)), ex=10)


async def _status(parts: Parts, run: Analysis) -> AnalysisStatus:
    found = await parts.store.analyses.by_id(run.id)
    assert found
    return found.status


async def test_what_no_worker_has_is_queued_again(
    parts: Parts, database: Database, owner_id: str
) -> None:
    lost, held, fresh = [await _asked(parts, owner_id) for _ in range(3)]
    for run in (lost, held, fresh):
        await parts.store.analyses.start(run)
    await _long_ago(database, [lost.id, held.id])
    await _hold(parts, held.id)
    await reconcile(parts)
    assert await _status(parts, lost) is AnalysisStatus.QUEUED
    assert await _status(parts, held) is _RUNNING
    assert await _status(parts, fresh) is _RUNNING
    assert await queued_ids(parts.events.redis) == {lost.id}


async def test_a_lost_item_is_counted_as_queued_again(scope: Scope, database: Database) -> None:
    batch, [first, _] = await _batch(scope, 2)
    started = await scope.parts.store.analyses.start(first)
    assert started
    await tell_moved(scope.parts, started, AnalysisStatus.QUEUED, 0)
    assert await _counts(scope, batch) == (1, 1, 0, 0, 0)
    await _long_ago(database, [first.id])
    await reconcile(scope.parts)
    assert await _counts(scope, batch) == (2, 0, 0, 0, 0)


async def test_what_the_queue_has_lost_is_sent_again(
    parts: Parts, database: Database, owner_id: str
) -> None:
    lost, held, fresh = [await _asked(parts, owner_id, Stage.SENT) for _ in range(3)]
    await _long_ago(database, [lost.id, held.id])
    await _hold(parts, held.id)
    await reconcile(parts)
    assert await queued_ids(parts.events.redis) == {lost.id}
    await _long_ago(database, [lost.id])
    await reconcile(parts)
    assert await parts.events.redis.llen(Lane.BATCH) == 1  # pyright: ignore
    assert await _status(parts, fresh) is AnalysisStatus.QUEUED


async def test_a_result_that_nobody_was_told_of(
    scope: Scope, parts: Parts, database: Database
) -> None:
    """Its worker died between storing it and all that follows."""
    batch, [first, second] = await _batch(scope, 2)
    await parts.store.analyses.start(first)
    await parts.store.analyses.succeed(first, findings(), 1.0)
    await parts.store.analyses.start(second)
    await _long_ago(database, [first.id])
    await _hold(parts, second.id)
    assert await _counts(scope, batch) == (2, 0, 0, 0, 0)
    await reconcile(parts)
    assert await _counts(scope, batch) == (0, 1, 1, 0, 0)
    [file] = await parts.store.audio_files.by_ids(scope.owner_id, [first.audio_file_id])
    assert file
    assert file.analysis_id == first.id
    changes = await parts.store.batch_jobs.changes(batch.id, 0)
    assert [change.sequence for change in changes] == [1, 2]
    await reconcile(parts)
    assert len(await parts.store.batch_jobs.changes(batch.id, 0)) == 2


async def test_whoever_wants_to_know_is_told_of_an_end_that_nobody_told_of(
    scope: Scope, parts: Parts, database: Database
) -> None:
    webhook, _ = await create_webhook(scope, "http://127.0.0.1:9/", _ENDS)
    _, [item] = await _batch(scope, 1)
    file = await parts.store.audio_files.add(audio_file(scope.owner_id))
    single = analysis(scope.owner_id, file.id)
    await parts.store.analyses.add([single])
    for run in (item, single):
        await parts.store.analyses.start(run)
        await parts.store.analyses.succeed(run, findings(), 1.0)
    await _long_ago(database, [item.id, single.id])
    await reconcile(parts)
    # Once more, as after another death.
    for run in (item, single):
        place = {"place": f"ended:{run.lane}:{scope.owner_id}:{run.id}", "placed_at": now()}
        await database["analyses"].update_one({"_id": run.id}, {"$set": place})
    await _long_ago(database, [item.id, single.id])
    await reconcile(parts)
    [page] = await parts.store.deliveries.pages(scope.owner_id, [webhook.id], Window(50), None)
    assert sorted(row.value.event for row in page.rows) == [
        "ANALYSIS_FINISHED",
        "BATCH_JOB_FINISHED",
    ]


async def test_a_step_is_not_counted_twice(scope: Scope, database: Database) -> None:
    """Whoever took it before a new count, and tells of it after."""
    parts = scope.parts
    batch, [first, second] = await _batch(scope, 2)
    epoch = await parts.store.batch_jobs.epoch(batch.id)
    started = await parts.store.analyses.start(first)
    assert started
    await parts.store.analyses.start(second)
    await parts.store.analyses.succeed(second, findings(), 1.0)
    await _long_ago(database, [second.id])
    await _hold(parts, first.id)
    await reconcile(parts)
    assert await _counts(scope, batch) == (0, 1, 1, 0, 0)
    await tell_moved(parts, started, AnalysisStatus.QUEUED, epoch)
    assert await _counts(scope, batch) == (0, 1, 1, 0, 0)


async def test_a_start_that_was_never_counted_is_made_up_for_at_the_end(scope: Scope) -> None:
    parts = scope.parts
    batch, [only] = await _batch(scope, 1)
    await parts.store.analyses.start(only)
    done = await parts.store.analyses.succeed(only, findings(), 1.0)
    assert done
    await tell_moved(parts, done, _RUNNING, await parts.store.batch_jobs.epoch(batch.id))
    assert await _counts(scope, batch) == (0, 0, 1, 0, 0)


async def test_a_batch_whose_maker_died_is_let_go_or_forgotten(
    parts: Parts, database: Database, owner_id: str, scope: Scope
) -> None:
    batch, items = await _batch(scope, 2)
    # As if its maker had died before it let them go.
    for item in items:
        place = f"making:batch:{owner_id}:{item.id}"
        await database["analyses"].update_one({"_id": item.id}, {"$set": {"place": place}})
    unmade = analysis(owner_id, "f" * 24, lane=Lane.BATCH, batch_id="e" * 24, position=0)
    await parts.store.analyses.add([unmade], Stage.MAKING)
    await _long_ago(database, [item.id for item in (*items, unmade)])
    await parts.events.redis.delete(*QUEUES)
    await reconcile(parts)
    assert await queued_ids(parts.events.redis) == {item.id for item in items}
    assert await parts.store.analyses.by_id(unmade.id)
    eleven = now() - timedelta(minutes=11)
    await database["analyses"].update_one({"_id": unmade.id}, {"$set": {"placed_at": eleven}})
    await reconcile(parts)
    assert await parts.store.analyses.by_id(unmade.id) is None
    assert await _counts(scope, batch) == (2, 0, 0, 0, 0)


async def test_vectors_that_were_put_off_are_made_up_for(parts: Parts, owner_id: str) -> None:
    from samplemind.jobs.vectors import put_off

    run = await _asked(parts, owner_id)
    await parts.store.analyses.start(run)
    done = await parts.store.analyses.succeed(run, findings(embedding=embedding(1.0)), 1.0)
    assert done
    await parts.store.audio_files.set_analysis(done)
    await put_off(parts, owner_id, run.audio_file_id)
    await put_off(parts, owner_id, "gone")
    await reconcile(parts)
    [near] = await parts.vectors.nearest(owner_id, embedding(1.0), 5)
    assert near.audio_file_id == run.audio_file_id
    assert not [s for s in await parts.store.vector_syncs.oldest(100) if s.owner_id == owner_id]
