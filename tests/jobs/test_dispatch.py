"""Who gets to the queue, and how many at a time: on the real queue, which nobody empties."""

import json
from collections.abc import AsyncIterator

import pytest

from resolvers.analyses import request_analysis
from resolvers.batch_jobs import cancel_batch_job, create_batch_job
from resolvers.scope import Scope
from samplemind.domain.analysis import AnalysisLevel, AnalysisOptions, Lane
from samplemind.domain.errors import TooMuchQueued
from samplemind.domain.ids import new_id
from samplemind.jobs.app import QUEUES
from samplemind.jobs.dispatch import send_next
from samplemind.jobs.queue import queued_ids
from samplemind.parts import Parts
from tests.domain.models import audio_file, user

_WINDOW = 16
_BASIC = AnalysisOptions(AnalysisLevel.BASIC)


@pytest.fixture
async def queue(parts: Parts) -> AsyncIterator[None]:
    """Emptied before and after."""
    await parts.events.redis.delete(*QUEUES)
    yield
    await parts.events.redis.delete(*QUEUES)


async def _scope(parts: Parts, files: int) -> tuple[Scope, list[str]]:
    """Somebody with that many files."""
    owner_id = new_id()
    made = [await parts.store.audio_files.add(audio_file(owner_id)) for _ in range(files)]
    return Scope(parts, user(owner_id)), [file.id for file in made]


async def _owners_queued(parts: Parts, lane: Lane) -> list[str]:
    """Whose analyses wait in the queue of a lane, first come first."""
    messages = await parts.events.redis.lrange(lane.value, 0, -1)  # pyright: ignore
    ids = [json.loads(message)["headers"]["id"] for message in reversed(messages)]
    runs = [await parts.store.analyses.by_id(id_) for id_ in ids]
    return [run.owner_id for run in runs if run]


async def test_a_large_batch_leaves_room_for_others(parts: Parts, queue: None) -> None:
    large, files = await _scope(parts, 40)
    await create_batch_job(large, files, None, _BASIC)
    assert await _owners_queued(parts, Lane.BATCH) == [large.owner_id] * _WINDOW
    small, [file_id] = await _scope(parts, 1)
    await create_batch_job(small, [file_id], None, _BASIC)
    assert await _owners_queued(parts, Lane.BATCH) == [large.owner_id] * _WINDOW + [small.owner_id]
    # Who waits at this moment meets no batch at all.
    file = await parts.store.audio_files.add(audio_file(small.owner_id))
    await request_analysis(small, file, _BASIC)
    assert await _owners_queued(parts, Lane.INTERACTIVE) == [small.owner_id]


async def test_the_rest_follows_when_half_is_done(parts: Parts, queue: None) -> None:
    scope, files = await _scope(parts, 40)
    await create_batch_job(scope, files, None, _BASIC)
    sent = sorted(await queued_ids(parts.events.redis))
    for id_ in sent[: _WINDOW // 2 - 1]:
        run = await parts.store.analyses.by_id(id_)
        assert run
        await parts.store.analyses.start(run)
        await send_next(parts, Lane.BATCH, scope.owner_id)
    assert await queued_ids(parts.events.redis) == set(sent)
    run = await parts.store.analyses.by_id(sent[_WINDOW // 2 - 1])
    assert run
    await parts.store.analyses.start(run)
    await send_next(parts, Lane.BATCH, scope.owner_id)
    assert len(await queued_ids(parts.events.redis)) == _WINDOW + _WINDOW // 2
    assert await parts.store.places.count_sent(Lane.BATCH, scope.owner_id) == _WINDOW


async def test_what_is_cancelled_makes_room_for_another_batch(parts: Parts, queue: None) -> None:
    scope, files = await _scope(parts, 40)
    first = await create_batch_job(scope, files[:20], None, _BASIC)
    second = await create_batch_job(scope, files[20:], None, _BASIC)
    await cancel_batch_job(scope, first.id)
    runs = [await parts.store.analyses.by_id(id_) for id_ in await queued_ids(parts.events.redis)]
    assert sum(run is not None and run.batch_id == second.id for run in runs) == _WINDOW


async def test_more_than_may_wait_is_refused_before_anything_is_stored(
    parts: Parts, queue: None
) -> None:
    scope, files = await _scope(parts, 5)
    few = parts.settings.model_copy(update={"max_pending": 4})
    limited = Parts.open(few)
    try:
        scope = Scope(limited, scope.viewer)
        with pytest.raises(TooMuchQueued, match="4 analyses"):
            await create_batch_job(scope, files, None, _BASIC)
        await create_batch_job(scope, files[:4], None, _BASIC)
        [file] = await parts.store.audio_files.by_ids(scope.owner_id, files[4:])
        assert file
        with pytest.raises(TooMuchQueued):
            await request_analysis(scope, file, _BASIC)
        assert await parts.store.places.count_pending(scope.owner_id) == 4
        assert await parts.store.batch_jobs.count(scope.owner_id) == 1
    finally:
        await limited.close()
