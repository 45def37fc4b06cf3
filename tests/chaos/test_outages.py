"""A part is away: what still works, what says so by its code, and what is made up for later."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from tests.chaos.asking import findings, until
from tests.chaos.cluster import Cluster
from tests.server import HTTP
from tests.sounds import RATE, note

_SIMILAR = """query ($id: ID!) { similarTo(target: {audioFileId: $id}, first: 50) {
    edges { node { id } } } }"""
_FILE = "query ($id: ID!) { node(id: $id) { ... on AudioFile { filename analysis { status } } } }"
_LIST = "{ audioFiles(first: 5) { edges { node { id filename } } totalCount } }"
_RENAME = """mutation ($id: ID!, $tags: [String!]) {
    updateAudioFile(input: {id: $id, tags: $tags}) {
        audioFile { tags } errors { code message } } }"""
_DELETE = """mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) {
    deletedId errors { code message } } }"""
_TAGGED = """query ($id: ID!, $tag: String!) {
    similarTo(target: {audioFileId: $id}, first: 50, filter: {tags: [$tag]}) {
        edges { node { id } } } }"""


def _sound(folder: Path, hertz: float) -> Path:
    path = folder / f"{hertz:.0f}.wav"
    soundfile.write(path, np.tile(note(hertz, 0.5), 2), RATE)
    return path


def _uploaded(cluster: Cluster, path: Path) -> str:
    """A file whose analysis is asked for."""
    payload = cluster.server.upload(path, level="STANDARD")
    assert payload["errors"] == []
    return payload["audioFile"]["id"]


def _is_analyzed(cluster: Cluster, id_: str) -> bool:
    return bool(cluster.server.ask(_FILE, id=id_)["node"]["analysis"])


def _ids(data: dict[str, Any]) -> set[str]:
    return {edge["node"]["id"] for edge in data["similarTo"]["edges"]}


def _signed_in(url: str) -> str:
    """Somebody's access token."""
    query = """mutation { registerUser(input: {
        email: "ada@example.org", username: "ada", password: "a long enough password"}) {
        accessToken errors { code message } } }"""
    payload = HTTP.post(url, json={"query": query}).json()["data"]["registerUser"]
    assert payload["errors"] == []
    return payload["accessToken"]


class TestRedis:
    def test_reads_and_uploads_go_on_and_the_work_follows(
        self, whole: Cluster, tmp_path: Path
    ) -> None:
        seed, other = (_uploaded(whole, _sound(tmp_path, hertz)) for hertz in (300, 310))
        until(lambda: _is_analyzed(whole, seed) and _is_analyzed(whole, other))
        whole.kill("events")
        assert whole.server.ask(_LIST)["audioFiles"]["totalCount"] >= 1
        assert _ids(whole.server.ask(_SIMILAR, id=seed)) >= {other}
        late = _uploaded(whole, _sound(tmp_path, 320))
        assert not _is_analyzed(whole, late)
        assert whole.server.ask(_RENAME, id=late, tags=["late"])["updateAudioFile"]["errors"] == []
        whole.start("events")
        until(lambda: _is_analyzed(whole, late))

    def test_it_does_not_keep_anybody_waiting(self, whole: Cluster, tmp_path: Path) -> None:
        whole.kill("events")
        elapsed = [whole.server.post(_LIST).elapsed.total_seconds() for _ in range(6)]
        assert max(elapsed) < 1.5, elapsed
        began = time.monotonic()
        _uploaded(whole, _sound(tmp_path, 340))
        assert time.monotonic() - began < 5

    def test_whoever_is_signed_in_stays_so(self, whole: Cluster) -> None:
        whole.start("strict-api")
        url = f"{whole.strict_url}/graphql"
        headers = {"authorization": f"Bearer {_signed_in(url)}"}
        body = {"query": "{ viewer { username } audioFiles { totalCount } }"}
        assert HTTP.post(url, json=body, headers=headers).json()["data"]["viewer"]
        whole.kill("events")
        answer = HTTP.post(url, json=body, headers=headers).json()
        assert answer["data"]["viewer"]["username"] == "ada"
        # Nobody can be let in while attempts cannot be counted.
        query = """mutation { logIn(input: {email: "ada@example.org", password: "x"}) {
            errors { code } } }"""
        answer = HTTP.post(url, json={"query": query}).json()
        assert answer["data"]["logIn"]["errors"][0]["code"] == "UNAVAILABLE"
        whole.stop("strict-api")


class TestChroma:
    def test_similarity_says_so_and_the_rest_goes_on(self, whole: Cluster, tmp_path: Path) -> None:
        seed, other, gone = [_uploaded(whole, _sound(tmp_path, hertz)) for hertz in (400, 404, 408)]
        for id_ in (seed, other, gone):
            until(lambda id_=id_: _is_analyzed(whole, id_))
        whole.kill("vectors")
        error = whole.server.refused(_SIMILAR, id=seed)
        assert error["extensions"]["code"] == "UNAVAILABLE"
        assert error["extensions"]["retryAfter"] > 0
        late = _uploaded(whole, _sound(tmp_path, 412))
        until(lambda: _is_analyzed(whole, late))
        renamed = whole.server.ask(_RENAME, id=other, tags=["renamed"])["updateAudioFile"]
        assert (renamed["errors"], renamed["audioFile"]["tags"]) == ([], ["renamed"])
        deleted = whole.server.ask(_DELETE, id=gone)["deleteAudioFile"]
        assert (deleted["errors"], deleted["deletedId"]) == ([], gone)
        assert whole.server.ask(_LIST)["audioFiles"]["totalCount"] >= 3
        whole.start("vectors")
        until(lambda: late in _ids(whole.server.ask(_SIMILAR, id=seed)))
        until(lambda: _ids(whole.server.ask(_TAGGED, id=seed, tag="renamed")) == {other})
        assert findings(whole) == []


class TestMongo:
    def test_it_is_503_and_nothing_acknowledged_is_lost(
        self, whole: Cluster, tmp_path: Path
    ) -> None:
        before = _uploaded(whole, _sound(tmp_path, 500))
        until(lambda: _is_analyzed(whole, before))
        whole.kill("documents")
        for media_type in ("application/json", "application/graphql-response+json"):
            answer = HTTP.post(
                f"{whole.server.url}/graphql", json={"query": _LIST}, headers={"accept": media_type}
            )
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
        refused = _sound(tmp_path, 520)
        with pytest.raises(AssertionError, match="UNAVAILABLE"):
            whole.server.upload(refused)
        assert HTTP.get(f"{whole.server.url}/health/ready").status_code == 503
        assert HTTP.get(f"{whole.server.url}/health/live").status_code == 200
        whole.start("documents")
        until(lambda: _is_analyzed(whole, before))
        names = whole.server.ask(
            '{ audioFiles(first: 5, filter: {search: "520"}) { edges { node { id } } } }'
        )
        assert names["audioFiles"]["edges"] == []
        # Its bytes were stored before the row could not be.
        found = findings(whole)
        assert {each["fault"] for each in found} <= {"bytes without file"}
        assert findings(whole) == []

    def test_what_a_worker_has_found_waits_for_the_documents(
        self, whole: Cluster, beats: list[Path]
    ) -> None:
        ids = [whole.server.upload(beat, level="DETAILED")["audioFile"]["id"] for beat in beats[:8]]
        whole.kill("documents")
        whole.start("documents")
        for id_ in ids:
            until(lambda id_=id_: _is_analyzed(whole, id_))


def _freeze(process: psutil.Process) -> None:
    """Stops it; all of its threads have stopped then."""
    process.suspend()
    threads = Path(f"/proc/{process.pid}/task")
    until(lambda: all(") T " in stat.read_text() for stat in threads.glob("*/stat")))


class TestFrozen:
    """A part that takes connections and never answers is worse than one that is gone."""

    @pytest.fixture(autouse=True)
    def _thawed(self, whole: Cluster) -> Iterator[None]:
        yield
        for name in ("documents", "events", "vectors"):
            whole.process(name).resume()

    def test_documents(self, whole: Cluster) -> None:
        whole.server.ask(_LIST)
        _freeze(whole.process("documents"))
        answer = whole.server.post(_LIST)
        assert answer.status_code == 503
        assert answer.elapsed.total_seconds() < 25
        whole.process("documents").resume()
        until(lambda: whole.server.post(_LIST).status_code == 200)

    def test_redis(self, whole: Cluster, tmp_path: Path) -> None:
        _freeze(whole.process("events"))
        assert whole.server.post(_LIST).elapsed.total_seconds() < 2
        late = _uploaded(whole, _sound(tmp_path, 600))
        began = time.monotonic()
        _uploaded(whole, _sound(tmp_path, 610))
        assert time.monotonic() - began < 15
        whole.process("events").resume()
        until(lambda: _is_analyzed(whole, late))

    def test_chroma(self, whole: Cluster, tmp_path: Path) -> None:
        seed = _uploaded(whole, _sound(tmp_path, 620))
        until(lambda: _is_analyzed(whole, seed))
        _freeze(whole.process("vectors"))
        began = time.monotonic()
        error = whole.server.refused(_SIMILAR, id=seed)
        assert error["extensions"]["code"] == "UNAVAILABLE"
        assert time.monotonic() - began < 25
        late = _uploaded(whole, _sound(tmp_path, 640))
        until(lambda: _is_analyzed(whole, late))
        whole.process("vectors").resume()
        until(lambda: late in _ids(whole.server.ask(_SIMILAR, id=seed)))
