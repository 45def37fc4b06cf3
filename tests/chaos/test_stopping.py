"""Workers that are told to stop, or that a file takes down, and a server that is full."""

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind.domain.paging import Window
from samplemind.jobs.presence import WorkerPresence, present_workers
from samplemind.parts import Parts
from schema.ids import decode_id
from tests.chaos.asking import batch, ended, findings, make_batch, until
from tests.chaos.cluster import Cluster, running_cluster
from tests.server import HTTP
from tests.sounds import RATE, noise

_FILE = """query ($id: ID!) { node(id: $id) { ... on AudioFile {
    analyses(first: 1) { edges { node { status failure { code } } } } } } }"""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory):
    """Workers that stop within a second; an API that takes two requests at a time."""
    environment = {
        "SAMPLEMIND_WORKER_STOP_SECONDS": "1",
        "SAMPLEMIND_MAX_REQUESTS": "2",
        "SAMPLEMIND_WORKERS": "1",
    }
    with running_cluster(tmp_path_factory.mktemp("hasty") / "data", **environment) as cluster:
        yield cluster


def _long(path: Path, seed: int) -> Path:
    """A quarter of an hour, which takes seconds to analyse."""
    second = noise(1.0, seed=seed)
    soundfile.write(path, np.tile(second, 900), RATE, format="FLAC")
    return path


async def _workers(cluster: Cluster) -> list[WorkerPresence]:
    parts = Parts.open(cluster.settings)
    try:
        return await present_workers(parts.events.redis)
    finally:
        await parts.close()


async def _held(cluster: Cluster) -> set[str]:
    """What the workers say that they have."""
    return {id_ for worker in await _workers(cluster) for id_ in worker.held}


async def _attempts(cluster: Cluster, id_: str) -> int:
    """How often its newest analysis was begun."""
    parts = Parts.open(cluster.settings)
    try:
        page = await parts.store.analyses.page_of_file("local", decode_id(id_)[1], Window(1))
    finally:
        await parts.close()
    return page.rows[0].value.attempts


def _newest(cluster: Cluster, id_: str) -> dict:
    [edge] = cluster.server.ask(_FILE, id=id_)["node"]["analyses"]["edges"]
    return edge["node"]


def test_what_is_not_done_in_time_is_handed_back(hasty: Cluster, tmp_path: Path) -> None:
    payload = hasty.server.upload(_long(tmp_path / "long.flac", 1), level="DETAILED")
    id_ = payload["audioFile"]["id"]
    until(lambda: _newest(hasty, id_)["status"] == "RUNNING")
    # Its worker says that it has it, so nobody takes it for lost.
    analysis_id = decode_id(payload["analysis"]["id"])[1]
    until(lambda: analysis_id in asyncio.run(_held(hasty)))
    assert hasty.stop("worker") < 8
    assert _newest(hasty, id_)["status"] == "QUEUED"
    hasty.start("worker")
    until(lambda: _newest(hasty, id_)["status"] == "SUCCEEDED")


def test_what_is_nearly_done_is_finished(cluster: Cluster, beats: list[Path]) -> None:
    ids = [cluster.server.upload(beat)["audioFile"]["id"] for beat in beats[:30]]
    batch_id = make_batch(cluster, ids)
    cluster.stop("worker")
    items = batch(cluster, batch_id)["items"]["edges"]
    assert {item["node"]["status"] for item in items} <= {"SUCCEEDED", "QUEUED"}
    cluster.start("worker")
    assert ended(cluster, batch_id)["completed"] == 30
    assert findings(cluster) == []


def test_two_workers_share_a_batch(cluster: Cluster, beats: list[Path]) -> None:
    cluster.start("worker-2")
    until(lambda: len(asyncio.run(_workers(cluster))) == 2)
    ids = [cluster.server.upload(beat)["audioFile"]["id"] for beat in beats]
    batch_id = make_batch(cluster, ids)
    assert ended(cluster, batch_id)["completed"] == len(beats)
    items = [edge["node"] for edge in batch(cluster, batch_id)["items"]["edges"]]
    ids = {decode_id(item["analysis"]["id"])[1] for item in items}

    def share(name: str) -> int:
        said = [line for line in cluster.log(name).splitlines() if "analysis ended" in line]
        return sum(any(id_ in line for id_ in ids) for line in said)

    shares = share("worker"), share("worker-2")
    assert sum(shares) == len(beats)
    assert min(shares) > len(beats) / 5
    cluster.stop("worker-2")


def test_a_file_that_takes_its_worker_down_fails_by_itself(hasty: Cluster, tmp_path: Path) -> None:
    payload = hasty.server.upload(_long(tmp_path / "poison.flac", 2), level="DETAILED")
    poison = payload["audioFile"]["id"]
    for attempt in (1, 2, 3):
        until(lambda n=attempt: asyncio.run(_attempts(hasty, poison)) == n)
        [process] = hasty.process("worker").children()
        process.kill()
    until(lambda: _newest(hasty, poison)["status"] == "FAILED")
    assert _newest(hasty, poison)["failure"]["code"] == "WORKER_LOST"
    after = hasty.server.upload(_long(tmp_path / "after.flac", 3), level="BASIC")
    until(lambda: _newest(hasty, after["audioFile"]["id"])["status"] == "SUCCEEDED")


def test_a_full_server_says_so_at_once(hasty: Cluster) -> None:
    begun, let_go = threading.Semaphore(0), threading.Event()

    def slowly():
        yield b'{"query": '
        begun.release()
        assert let_go.wait(20)
        yield b'"{ __typename }"}'

    url = f"{hasty.server.url}/graphql"
    headers = {"content-type": "application/json"}
    answers = []

    def ask() -> None:
        answers.append(HTTP.post(url, content=slowly(), headers=headers))

    slow = [threading.Thread(target=ask) for _ in range(2)]
    for thread in slow:
        thread.start()
        begun.acquire()
    refused = until(lambda: (a := hasty.server.post("{ __typename }")).status_code == 503 and a)
    assert refused.json()["errors"][0]["extensions"]["code"] == "OVERLOADED"
    assert refused.headers["retry-after"] == "1"
    assert refused.elapsed.total_seconds() < 0.5
    assert HTTP.get(f"{hasty.server.url}/health/live").status_code == 200
    let_go.set()
    for thread in slow:
        thread.join()
    assert [answer.json()["data"] for answer in answers] == [{"__typename": "Query"}] * 2
    assert hasty.server.post("{ __typename }").status_code == 200
