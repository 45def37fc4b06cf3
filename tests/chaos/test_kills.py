"""kill -9 in the middle of a batch: of one part, or of all."""

from pathlib import Path

import pytest

from tests.chaos.asking import batch, ended, findings, make_batch, until
from tests.chaos.cluster import Cluster

_ALL = ("documents", "events", "vectors", "api", "worker")


@pytest.fixture(scope="module")
def files(cluster: Cluster, beats: list[Path]) -> list[str]:
    payloads = [cluster.server.upload(beat) for beat in beats]
    assert all(payload["errors"] == [] for payload in payloads)
    return [payload["audioFile"]["id"] for payload in payloads]


@pytest.mark.parametrize("victims", [*((name,) for name in _ALL), _ALL], ids="+".join)
def test_a_batch_ends_with_the_right_counts(
    whole: Cluster, files: list[str], victims: tuple[str, ...]
) -> None:
    id_ = make_batch(whole, files)
    until(lambda: batch(whole, id_)["completed"] >= 8)
    before = batch(whole, id_)
    assert before["completed"] < len(files), "killed too late to prove anything"
    whole.kill(*victims)
    whole.start(*victims)
    end = ended(whole, id_)
    assert (end["status"], end["total"]) == ("SUCCEEDED", len(files))
    assert (end["completed"], end["failed"]) == (len(files), 0)
    items = [edge["node"] for edge in end["items"]["edges"]]
    assert [item["audioFile"]["id"] for item in items] == files
    assert {item["status"] for item in items} == {"SUCCEEDED"}
    assert len({item["analysis"]["id"] for item in items}) == len(files)
    assert findings(whole) == []
