"""Where analyses stand that are not done with."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from samplemind.domain.analysis import Analysis, AnalysisStatus, Failure, Lane
from samplemind.domain.ids import new_id, now
from samplemind.parts import Parts
from samplemind.store.places import Placed, Stage
from tests.domain.models import analysis, findings


@pytest.fixture
def lane() -> Lane:
    return Lane.BATCH


async def _added(
    parts: Parts, owner_id: str, count: int, lane: Lane, stage: Stage = Stage.WAITING
) -> list[Analysis]:
    made = [analysis(owner_id, new_id(), lane=lane) for _ in range(count)]
    await parts.store.analyses.add(made, stage)
    return made


async def _at(parts: Parts, stage: Stage, made: Sequence[Analysis]) -> list[str]:
    """Which of `made` are there."""
    ids = {each.id for each in made}
    placed = await parts.store.places.since_before(stage, now() + timedelta(seconds=5))
    return [each.id for each in placed if each.id in ids]


async def test_each_step_has_its_place(parts: Parts, owner_id: str, lane: Lane) -> None:
    places, analyses = parts.store.places, parts.store.analyses
    [made] = await _added(parts, owner_id, 1, lane)
    assert await _at(parts, Stage.WAITING, [made]) == [made.id]
    assert await places.claim(lane, owner_id, 5) == [made.id]
    assert await _at(parts, Stage.SENT, [made]) == [made.id]
    await analyses.start(made)
    assert await _at(parts, Stage.RUNNING, [made]) == [made.id]
    await analyses.hand_back(made, lost=True)
    assert await _at(parts, Stage.WAITING, [made]) == [made.id]
    await analyses.start(made)
    await analyses.succeed(made, findings(), 1.0)
    assert await _at(parts, Stage.ENDED, [made]) == [made.id]
    assert made.audio_file_id in await places.files()
    await places.leave([made.id])
    assert made.audio_file_id not in await places.files()
    for stage in Stage:
        assert await _at(parts, stage, [made]) == []


async def test_the_oldest_of_an_owner_and_lane_are_claimed_once(
    parts: Parts, owner_id: str, lane: Lane
) -> None:
    places = parts.store.places
    made = [each.id for each in await _added(parts, owner_id, 5, lane)]
    await _added(parts, owner_id, 2, Lane.INTERACTIVE)
    await _added(parts, new_id(), 2, lane)
    assert await places.claim(lane, owner_id, 3) == made[:3]
    assert await places.count_sent(lane, owner_id) == 3
    assert await places.claim(lane, owner_id, 3) == made[3:]
    assert await places.claim(lane, owner_id, 3) == []
    assert await places.count_sent(lane, owner_id) == 5
    assert await places.count_pending(owner_id) == 7


async def test_two_who_claim_at_once_leave_nothing_behind(
    parts: Parts, owner_id: str, lane: Lane
) -> None:
    made = await _added(parts, owner_id, 20, lane)
    claims = await asyncio.gather(*(parts.store.places.claim(lane, owner_id, 8) for _ in range(6)))
    sent = await _at(parts, Stage.SENT, made)
    assert set(sent) == {id_ for claim in claims for id_ in claim}
    assert len(sent) + len(await _at(parts, Stage.WAITING, made)) == 20


async def test_whoever_waits_is_found_once(parts: Parts, owner_id: str) -> None:
    other = new_id()
    for who in (owner_id, other):
        await _added(parts, who, 3, Lane.BATCH)
    waiting = await parts.store.places.owners_waiting(Lane.BATCH)
    assert sorted(who for who in waiting if who in (owner_id, other)) == [owner_id, other]
    assert owner_id not in await parts.store.places.owners_waiting(Lane.INTERACTIVE)
    await parts.store.places.claim(Lane.BATCH, owner_id, 3)
    assert owner_id not in await parts.store.places.owners_waiting(Lane.BATCH)


async def test_items_of_a_batch_that_is_being_made_are_not_claimed(
    parts: Parts, owner_id: str
) -> None:
    places, batch_id = parts.store.places, new_id()
    items = [
        analysis(owner_id, new_id(), lane=Lane.BATCH, batch_id=batch_id, position=position)
        for position in range(3)
    ]
    await parts.store.analyses.add(items, Stage.MAKING)
    assert await places.claim(Lane.BATCH, owner_id, 5) == []
    making = await places.since_before(Stage.MAKING, now() + timedelta(seconds=5))
    mine = [each for each in making if each.owner_id == owner_id]
    assert mine == [Placed(item.id, Lane.BATCH, owner_id, batch_id) for item in items]
    await places.release_batch(owner_id, batch_id)
    assert await places.claim(Lane.BATCH, owner_id, 5) == [item.id for item in items]


async def test_only_what_has_been_there_long_enough_is_found(
    parts: Parts, owner_id: str, lane: Lane
) -> None:
    [made] = await _added(parts, owner_id, 1, lane)
    before = now() - timedelta(seconds=5)
    waiting = await parts.store.places.since_before(Stage.WAITING, before)
    assert made.id not in [each.id for each in waiting]


async def test_what_was_queued_again_keeps_its_place(
    parts: Parts, owner_id: str, lane: Lane
) -> None:
    batch_id = new_id()
    made = analysis(owner_id, new_id(), lane=lane, batch_id=batch_id, position=0)
    await parts.store.analyses.add([made])
    await parts.store.analyses.start(made)
    await parts.store.analyses.fail(made, Failure("A", "b"), 1.0)
    failed, queued = AnalysisStatus.FAILED, AnalysisStatus.QUEUED
    await parts.store.analyses.move_batch(owner_id, batch_id, failed, queued)
    # Whoever ended it says so only now.
    await parts.store.places.leave([made.id])
    assert await _at(parts, Stage.WAITING, [made]) == [made.id]
