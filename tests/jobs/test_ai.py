"""The AI's part of an analysis, on real parts and the real queue: done once, and found again
whoever died over it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import timedelta

import pytest

from samplemind.domain.ai import AiPart, AiStatus
from samplemind.domain.analysis import Analysis, AnalysisStatus, Lane
from samplemind.domain.ids import now
from samplemind.events import file_channel
from samplemind.jobs.ai import ask_for_it, reconcile_ai, run_ai
from samplemind.jobs.app import AI_LANES
from samplemind.jobs.presence import WorkerPresence
from samplemind.jobs.queue import queued_ids
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store.database import Database, connect
from tests.ai.answers import SCRIPTS
from tests.ai.providers import Providers, providers
from tests.domain.models import analysis, audio_file, findings

_WORKER = "samplemind:ai-worker:test:1"
_ONCE = "samplemind:asked:ai"


@pytest.fixture(scope="module")
def played() -> Iterator[Providers]:
    with providers(SCRIPTS) as server:
        yield server


@pytest.fixture(scope="module")
async def asking(parts: Parts, settings: Settings, played: Providers) -> AsyncIterator[Parts]:
    """The parts of a worker that asks."""
    asking = Parts.open(settings.model_copy(update={"openai_url": f"{played.url}/v1"}))
    yield asking
    await asking.close()


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    client, database = connect(settings.mongo_url)
    yield database
    client.close()


@pytest.fixture(autouse=True)
async def queue(parts: Parts, database: Database) -> AsyncIterator[None]:
    """Nothing of other tests is found."""
    await parts.events.redis.delete(*AI_LANES.values(), _WORKER, _ONCE)
    await database["analyses"].update_many(
        {"ai_pending": {"$gt": ""}}, {"$unset": {"ai_pending": "", "ai_state": ""}}
    )
    yield
    await parts.events.redis.delete(*AI_LANES.values(), _WORKER, _ONCE)


async def _ready(parts: Parts, owner_id: str, script: str = "good") -> Analysis:
    """An analysis that has succeeded, and whose AI is to be asked."""
    file = await parts.store.audio_files.add(audio_file(owner_id, filename=f"[[{script}]].wav"))
    run = analysis(owner_id, file.id, status=AnalysisStatus.RUNNING, ai=AiPart())
    await parts.store.analyses.add([run])
    done = await parts.store.analyses.succeed(run, findings(), 1.0, run.ai)
    assert done
    return done


async def _now(parts: Parts, run: Analysis) -> AiPart:
    found = await parts.store.analyses.by_id(run.id)
    assert found
    assert found.ai
    return found.ai


async def _is_old(database: Database, run: Analysis) -> None:
    change = {"$set": {"ai_moved_at": now() - timedelta(minutes=1)}}
    await database["analyses"].update_one({"_id": run.id}, change)


async def _queued(parts: Parts) -> set[str]:
    return await queued_ids(parts.events.redis, AI_LANES.values())


@asynccontextmanager
async def _running(asking: Parts, run: Analysis) -> AsyncIterator[asyncio.Task[None]]:
    """Asked right now, of somebody who does not answer before 1.5 s are over."""
    async with asking.events.listen(file_channel(run.audio_file_id)) as receive:
        task = asyncio.create_task(run_ai(asking, run.id))
        await receive()
        yield task
        await asyncio.gather(task, return_exceptions=True)


async def test_many_workers_ask_once(asking: Parts, played: Providers, owner_id: str) -> None:
    run = await _ready(asking, owner_id, "once")
    await asyncio.gather(*(run_ai(asking, run.id) for _ in range(5)))
    assert len(played.of("once")) == 1
    ai = await _now(asking, run)
    assert (ai.status, ai.attempts) == (AiStatus.SUCCEEDED, 1)
    await run_ai(asking, run.id)
    await run_ai(asking, "missing")
    assert len(played.of("once")) == 1


async def test_what_was_never_queued_is_found(
    asking: Parts, database: Database, owner_id: str
) -> None:
    run = await _ready(asking, owner_id)
    await reconcile_ai(asking)
    assert await _queued(asking) == set()  # Whoever stored it may be about to queue it.
    await _is_old(database, run)
    await reconcile_ai(asking)
    assert await _queued(asking) == set()  # Once a minute is enough.
    await asking.events.redis.delete(_ONCE)
    await reconcile_ai(asking)
    assert await _queued(asking) == {run.id}
    await asking.events.redis.delete(_ONCE)
    await reconcile_ai(asking)
    assert await asking.events.redis.llen(AI_LANES[Lane.INTERACTIVE]) == 1  # pyright: ignore


async def test_what_a_batch_asks_goes_behind(asking: Parts, owner_id: str) -> None:
    run = replace(await _ready(asking, owner_id), lane=Lane.BATCH)
    await ask_for_it(asking, run)
    assert await queued_ids(asking.events.redis, [AI_LANES[Lane.BATCH]]) == {run.id}


@pytest.mark.parametrize("is_held", [True, False])
async def test_what_a_dead_worker_had_is_asked_again(
    asking: Parts, database: Database, owner_id: str, is_held: bool
) -> None:
    run = await _ready(asking, owner_id, "held")
    async with _running(asking, run):
        await _is_old(database, run)
        presence = WorkerPresence("test:1", 1, "0", "0", (run.id,) if is_held else ())
        await asking.events.redis.set(_WORKER, json.dumps(asdict(presence)), ex=10)
        await reconcile_ai(asking)
        assert await _queued(asking) == (set() if is_held else {run.id})
        handed_back = await _now(asking, run)
        assert handed_back.status is (AiStatus.RUNNING if is_held else AiStatus.QUEUED)
    # Who was taken for dead and was not changes nothing any more.
    expected = AiStatus.SUCCEEDED if is_held else AiStatus.QUEUED
    assert (await _now(asking, run)).status is expected
    await run_ai(asking, run.id)
    ai = await _now(asking, run)
    assert (ai.status, ai.attempts) == (AiStatus.SUCCEEDED, 1 if is_held else 2)


async def test_who_is_told_to_stop_gives_it_back(asking: Parts, owner_id: str) -> None:
    run = await _ready(asking, owner_id, "held")
    async with _running(asking, run) as task:
        task.cancel()
    ai = await _now(asking, run)
    assert (ai.status, ai.attempts) == (AiStatus.QUEUED, 0)
    assert await _queued(asking) == {run.id}


async def test_what_kills_its_worker_is_given_up(
    asking: Parts, played: Providers, owner_id: str
) -> None:
    run = await _ready(asking, owner_id, "deadly")
    for _ in range(3):
        lost = await asking.store.analyses.by_id(run.id)
        assert lost
        assert lost.ai
        lost = await asking.store.analyses.move_ai(
            lost, replace(lost.ai, attempts=lost.ai.attempts + 1)
        )
    await run_ai(asking, run.id)
    ai = await _now(asking, run)
    assert ai.failure
    assert "lost 3 times" in ai.failure.message
    assert not played.of("deadly")


async def test_a_deleted_file_keeps_no_answer(asking: Parts, owner_id: str) -> None:
    run = await _ready(asking, owner_id, "held")
    [file] = await asking.store.audio_files.by_ids(owner_id, [run.audio_file_id])
    assert file
    async with _running(asking, run):
        await asking.store.analyses.forget_file(owner_id, run.audio_file_id)
        await asking.store.audio_files.remove(owner_id, run.audio_file_id)
    assert await asking.store.analyses.by_id(run.id) is None
    subject = f"insight:{file.sha256}:STANDARD:1:gpt-4o-mini"
    assert await asking.store.ai_answers.find(owner_id, subject) is None
