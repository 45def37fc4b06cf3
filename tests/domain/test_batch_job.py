"""What the counts of a batch mean."""

from itertools import combinations_with_replacement

import pytest

from samplemind.domain.batch_job import BatchStatus
from tests.domain.models import batch_job, minutes

_ITEMS = ("queued", "running", "completed", "failed", "cancelled")


def _meaning(items: tuple[str, ...]) -> BatchStatus:
    """The descriptions of BatchStatus in the schema, in code."""
    states = set(items)
    if states == {"queued"}:
        return BatchStatus.QUEUED
    if states & {"queued", "running"}:
        return BatchStatus.RUNNING
    if "cancelled" in states:
        return BatchStatus.CANCELLED
    if len(states) == 2:
        return BatchStatus.PARTIAL
    return BatchStatus.SUCCEEDED if states == {"completed"} else BatchStatus.FAILED


@pytest.mark.parametrize("total", [1, 2, 3, 6])
def test_the_status_follows_from_the_counts(total: int) -> None:
    for items in combinations_with_replacement(_ITEMS, total):
        counts = {name: items.count(name) for name in _ITEMS}
        batch = batch_job("ada", total, **counts)
        assert batch.status is _meaning(items), items
        assert batch.is_finished is not bool({"queued", "running"} & set(items)), items


def test_a_batch_finished_when_it_last_moved() -> None:
    moved = batch_job("ada", 1).created_at + minutes(5)
    ended = batch_job("ada", 2, queued=0, completed=1, failed=1, updated_at=moved)
    assert ended.finished_at == moved
    for counts in ({"queued": 1}, {"queued": 0, "running": 1}):
        assert batch_job("ada", 2, completed=1, updated_at=moved, **counts).finished_at is None
