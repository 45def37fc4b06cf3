"""What sounds like several sounds at once, and like a sound that is not stored."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from schema.ids import encode_id
from tests.e2e import sounds
from tests.server import HTTP, Server, running_server

QUERY = """
query ($target: SimilarityTarget!, $first: Int, $after: String, $filter: AudioFileFilter) {
  similarTo(target: $target, first: $first, after: $after, filter: $filter) {
    edges { cursor score node { id filename } reasons { timbre envelope pitch rhythm } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

OF_UPLOAD = QUERY.replace("$target: SimilarityTarget!", "$file: Upload!").replace(
    "target: $target", "target: {upload: $file}"
)


def names(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["filename"].partition(".")[0] for edge in connection["edges"]]


SMALL = sounds.encoded(np.sin(np.arange(1_500) / 5) / 2, rate=8_000, subtype="PCM_U8")

_NOTHING = {
    "edges": [],
    "pageInfo": {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    },
}


def kick(decay: float, rate: int = sounds.RATE) -> np.ndarray:
    """A sine that falls to 50 Hz; `decay` is how long it rings, in seconds to 1/e."""
    t = np.arange(round(5 * decay * rate)) / rate
    phase = 2 * np.pi * (50 * t + 110 * 0.03 * (1 - np.exp(-t / 0.03)))
    noise = np.random.default_rng().normal(0, 3e-4, t.size)
    return 0.8 * np.sin(phase) * np.exp(-t / decay) + noise


@pytest.fixture(scope="module")
async def shelf(server: Server) -> dict[str, str]:
    """Kicks that stop and kicks that ring, snares and notes: ids by name, and their tag."""
    tag = f"targets{uuid.uuid4().hex}"
    kinds = {
        **{f"short{n}": kick(0.03 + 0.003 * n) for n in range(4)},
        **{f"ringing{n}": kick(0.6 + 0.05 * n) for n in range(4)},
        **{f"note{n}": sounds.tone(220 * 2 ** (n / 5), 0.5) for n in range(4)},
    }
    stored = {
        name: server.upload(sounds.encoded(y), f"{name}.wav", tags=[tag])["audioFile"]["id"]
        for name, y in kinds.items()
    }
    batch = await server.batch(audioFileIds=[*stored.values()], level="STANDARD")
    assert batch["status"] == "SUCCEEDED"
    return {"tag": tag, **stored}


def ours(shelf: dict[str, str]) -> dict[str, Any]:
    return {"tags": [shelf["tag"]]}


class TestBlend:
    def blend(
        self,
        server: Server,
        shelf: dict[str, str],
        like: list[str],
        unlike: list[str],
        **asked: Any,
    ) -> dict[str, Any]:
        target = {"blend": {"like": [shelf[n] for n in like], "unlike": [shelf[n] for n in unlike]}}
        return server.ask(QUERY, target=target, filter=ours(shelf), **asked)["similarTo"]

    def test_of_one_is_that_one(self, server: Server, shelf: dict[str, str]):
        target = {"audioFileId": shelf["short0"]}
        alone = server.ask(QUERY, target=target, filter=ours(shelf))["similarTo"]
        found = self.blend(server, shelf, ["short0"], [])
        assert names(found) == names(alone)
        for edge, other in zip(found["edges"], alone["edges"], strict=True):
            assert edge["score"] == pytest.approx(other["score"], abs=1e-5)

    def test_of_two_kinds_finds_both(self, server: Server, shelf: dict[str, str]):
        found = self.blend(server, shelf, ["short0", "note0"], [])
        assert {"short", "note"} <= {name[:-1] for name in names(found)[:4]}
        assert not {"short0", "note0"} & {*names(found)}

    def test_stays_away_from_what_is_unlike(self, server: Server, shelf: dict[str, str]):
        """Kicks are liked; once two that ring are not, the short ones come before those."""
        liked = ["short0", "ringing0"]
        before = names(self.blend(server, shelf, liked, []))
        found = self.blend(server, shelf, liked, ["ringing1", "ringing2"])
        after = names(found)
        assert not {"ringing1", "ringing2"} & {*after}
        assert {*after[:3]} == {"short1", "short2", "short3"}
        assert after.index("ringing3") > 2
        assert before.index("ringing3") < 6
        scores = {edge["node"]["filename"]: edge["score"] for edge in found["edges"]}
        assert scores["short1.wav"] > scores["ringing3.wav"] + 0.1

    def test_pages_fit_together_in_any_order_of_the_seeds(
        self, server: Server, shelf: dict[str, str]
    ):
        like, unlike = ["short0", "note1", "ringing2"], ["note3", "short3"]
        whole = self.blend(server, shelf, like, unlike)
        assert len(whole["edges"]) == 7
        edges, after = [], None
        for turn in range(4):
            page = self.blend(
                server, shelf, like[:: (-1) ** turn], unlike[:: (-1) ** turn], first=2, after=after
            )
            assert page["pageInfo"]["hasNextPage"] == (turn < 3)
            assert page["pageInfo"]["hasPreviousPage"] == (turn > 0)
            edges, after = edges + page["edges"], page["pageInfo"]["endCursor"]
        assert edges == whole["edges"]

    def test_has_reasons(self, server: Server, shelf: dict[str, str]):
        for edge in self.blend(server, shelf, ["short0", "note0"], ["ringing0"])["edges"]:
            assert sum(edge["reasons"].values()) == pytest.approx(1, abs=1e-6)

    def test_names_what_is_wrong(self, server: Server, shelf: dict[str, str]):
        unheard = server.upload(sounds.encoded(sounds.tone()), "unheard.wav")["audioFile"]["id"]
        a, b = shelf["short0"], shelf["short1"]
        many = [*map(_file_id, range(21))]
        for blend, code, name, part in (
            ({"like": []}, "BAD_USER_INPUT", "like", "at least one"),
            ({"like": many}, "BAD_USER_INPUT", "like", "20"),
            ({"like": [a], "unlike": many}, "BAD_USER_INPUT", "unlike", "20"),
            ({"like": [a, b], "unlike": [b]}, "BAD_USER_INPUT", "unlike", "same sound"),
            ({"like": ["x"]}, "BAD_USER_INPUT", "like", "not an id"),
            ({"like": [a, _file_id(1), _file_id(2)]}, "NOT_FOUND", "like", "2 of"),
            ({"like": [a], "unlike": [_file_id(1)]}, "NOT_FOUND", "unlike", "1 of"),
            ({"like": [a, unheard]}, "NOT_ANALYZED", "like", "unheard.wav"),
            ({"like": [a], "unlike": [unheard]}, "NOT_ANALYZED", "unlike", "unheard.wav"),
        ):
            error = server.refused(QUERY, target={"blend": blend})
            field = ["target", "blend", name]
            assert error["extensions"] == {"code": code, "field": field}, blend
            assert part in error["message"]

    def test_of_the_most(self, server: Server, shelf: dict[str, str]):
        """The same sound named twenty times and more is one sound."""
        found = self.blend(server, shelf, ["short0"] * 25, [])
        assert names(found) == names(self.blend(server, shelf, ["short0"], []))


class TestUpload:
    def test_finds_what_is_alike_and_keeps_nothing(self, server: Server, shelf: dict[str, str]):
        before, content = _kept(server), sounds.encoded(kick(0.031))
        for query, variables, path in (
            (QUERY, {"target": {"upload": None}}, "variables.target.upload"),
            (OF_UPLOAD, {"file": None}, "variables.file"),
        ):
            answer = _send(server, query, {**variables, "filter": ours(shelf)}, path, content)
            found = answer["data"]["similarTo"]
            assert {*names(found)[:4]} == {"short0", "short1", "short2", "short3"}
            assert len(found["edges"]) == 12
            assert all(sum(edge["reasons"].values()) > 0.99 for edge in found["edges"])
        assert _kept(server) == before

    def test_that_is_stored_already_finds_itself(self, server: Server):
        sound = server.sounds[0]
        found = _search(server, sound.read_bytes(), first=1)["data"]["similarTo"]
        assert names(found) == [sound.stem]
        assert found["edges"][0]["score"] == pytest.approx(1, abs=1e-5)

    def test_has_pages(self, server: Server, shelf: dict[str, str]):
        content = sounds.encoded(sounds.tone(300))
        whole = _search(server, content, filter=ours(shelf))["data"]["similarTo"]
        first = _search(server, content, filter=ours(shelf), first=5)["data"]["similarTo"]
        after = first["pageInfo"]["endCursor"]
        rest = _search(server, content, filter=ours(shelf), after=after)["data"]["similarTo"]
        assert first["edges"] + rest["edges"] == whole["edges"]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "EMPTY_FILE"),
            (b"no sound", "NOT_AUDIO"),
            (b"RIFF" + bytes(40), "NO_DECODABLE_SOUND"),
            (sounds.encoded(np.zeros(601 * 8_000), rate=8_000, subtype="PCM_U8"), "SOUND_TOO_LONG"),
        ],
        ids=["empty", "text", "damaged", "long"],
    )
    def test_that_cannot_be_heard(self, server: Server, content: bytes, code: str):
        before = _kept(server)
        [error] = _search(server, content)["errors"]
        assert error["extensions"] == {"code": code, "field": ["target", "upload"]}
        assert _kept(server) == before

    def test_that_is_no_file(self, server: Server):
        error = server.refused(QUERY, target={"upload": "text"})
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["target", "upload"]}

    def test_is_one_of(self, server: Server, shelf: dict[str, str]):
        target = {"upload": None, "audioFileId": shelf["note0"]}
        answer = _send(server, QUERY, {"target": target}, "variables.target.upload", b"x")
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"

    def test_has_a_limit(self, small_server: Server):
        [error] = _search(small_server, bytes(2_001))["errors"]
        assert error["extensions"] == {"code": "FILE_TOO_LARGE", "field": ["target", "upload"]}
        [error] = _search(small_server, bytes(2_000))["errors"]
        assert error["extensions"]["code"] == "NOT_AUDIO"

    def test_leaves_no_file(self, small_server: Server):
        before = _kept(small_server)
        assert _search(small_server, SMALL)["data"] == {"similarTo": _NOTHING}
        assert _search(small_server, b"no sound")["errors"]
        assert _kept(small_server) == before
        left = (small_server.data_dir / "tmp").glob("samplemind-*")
        assert [path for path in left if not path.name.startswith("samplemind-metrics-")] == []

    def test_that_no_worker_hears_in_time(self, small_server: Server):
        """The API is there, and its only worker stands still."""
        worker = small_server.process("worker")
        processes = [worker, *worker.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            [error] = _search(small_server, SMALL)["errors"]
        finally:
            for process in processes:
                process.resume()
        assert error["extensions"] == {"code": "ANALYSIS_TIMEOUT", "field": ["target", "upload"]}
        assert _kept(small_server)["blobs"] == []


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that takes 2,000 bytes, waits a second and a half, and has its own temporary folder."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "tmp").mkdir()
    limits = {"SAMPLEMIND_MAX_UPLOAD_BYTES": "2000", "SAMPLEMIND_UNSAVED_WAIT_SECONDS": "1.5"}
    with running_server(folder, [], **limits, TMPDIR=str(folder / "tmp")) as server:
        yield server


def _search(server: Server, content: bytes, **variables: Any) -> dict[str, Any]:
    given = {"target": {"upload": None}, **variables}
    return _send(server, QUERY, given, "variables.target.upload", content)


def _send(
    server: Server, query: str, variables: dict[str, Any], path: str, content: bytes
) -> dict[str, Any]:
    return HTTP.post(
        f"{server.url}/graphql",
        data={
            "operations": json.dumps({"query": query, "variables": variables}),
            "map": json.dumps({"0": [path]}),
        },
        files={"0": ("unsaved.wav", content)},
        headers={"apollo-require-preflight": "true"},
    ).json()


def _kept(server: Server) -> dict[str, Any]:
    """Everything that a search might leave behind: rows, analyses, bytes, what can be found."""
    numbers = server.ask("{ viewer { totalUploads totalAnalyses } }")["viewer"]
    query = "{ libraryStats { audioFiles analyzed totalBytes } }"
    blobs = (server.data_dir / "blobs").rglob("*")
    return {
        **numbers,
        **server.ask(query)["libraryStats"],
        "blobs": sorted(path.name for path in blobs if path.is_file()),
    }


def _file_id(number: int) -> str:
    return encode_id("AudioFile", f"{number:024x}")
