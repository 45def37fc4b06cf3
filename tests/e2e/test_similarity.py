"""What sounds alike, asked both ways: ranking, filters inside the search, pages, refusals."""

import base64
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.e2e import sounds
from tests.server import Server

EDGES = """
  edges {
    cursor score
    node { id filename tags durationSeconds uploadedAt
           analysis { kind tempo { bpm } labels { name } } }
  }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
"""

ROOT = f"""
query ($id: ID!, $first: Int, $after: String, $filter: AudioFileFilter) {{
  similarTo(target: {{audioFileId: $id}}, first: $first, after: $after, filter: $filter) {{
    {EDGES}
  }}
}}
"""

OF_FILE = f"""
query ($id: ID!, $first: Int, $after: String, $filter: AudioFileFilter) {{
  node(id: $id) {{ ... on AudioFile {{
    similarTo(first: $first, after: $after, filter: $filter) {{ {EDGES} }}
  }} }}
}}
"""


def similar(server: Server, id_: str, **asked: Any) -> dict[str, Any]:
    """By Query.similarTo; AudioFile.similarTo must answer the same."""
    found = server.ask(ROOT, id=id_, **asked)["similarTo"]
    assert server.ask(OF_FILE, id=id_, **asked)["node"]["similarTo"] == found
    return found


def ids(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["id"] for edge in connection["edges"]]


@pytest.fixture(scope="module")
def library(server: Server) -> dict[str, dict[str, Any]]:
    """The shared sounds by their names without the extension."""
    query = """query ($f: AudioFileFilter) {
        audioFiles(filter: $f) { edges { node { id filename uploadedAt } } } }"""
    found = {}
    for sound in server.sounds:
        edges = server.ask(query, f={"search": sound.stem})["audioFiles"]["edges"]
        found[sound.stem] = edges[-1]["node"]
        assert found[sound.stem]["filename"] == sound.name
    return found


@pytest.fixture(scope="module")
def shared(library: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The filter that leaves out what other tests have uploaded."""
    return {"uploadedAt": {"to": max(file["uploadedAt"] for file in library.values())}}


@pytest.fixture(scope="module")
async def shelf(server: Server) -> dict[str, Any]:
    """Twelve analysed sounds under one tag: ids by name, and the tag."""
    tag = f"shelf{uuid.uuid4().hex}"  # begins like no word that is searched for
    made = {
        **{f"note {n}": sounds.tone(110 * 2 ** (n / 4), 0.4) for n in range(6)},
        "beat 100": sounds.beat(100),
        "beat 140": sounds.beat(140),
        **{f"hiss {n}": sounds.noise(0.2 + n / 10) for n in range(4)},
    }
    stored = {
        name: server.upload(sounds.encoded(y), f"{name}.wav", tags=[tag, name.split()[0]])
        for name, y in made.items()
    }
    by_name = {name: payload["audioFile"]["id"] for name, payload in stored.items()}
    batch = await server.batch(audioFileIds=[*by_name.values()], level="STANDARD")
    assert batch["status"] == "SUCCEEDED"
    return {"tag": tag, **by_name}


class TestRanking:
    @pytest.mark.parametrize("name", ["bd_haus", "loop_amen"])
    def test_the_likest_first_without_the_seed(
        self,
        server: Server,
        library: dict[str, dict[str, Any]],
        shared: dict[str, Any],
        name: str,
    ):
        seed = library[name]["id"]
        found = similar(server, seed, first=200)
        assert seed not in ids(found)
        assert len({*ids(found)}) == len(found["edges"])
        assert {file["id"] for file in library.values()} - {seed} <= {*ids(found)}
        scores = [edge["score"] for edge in found["edges"]]
        assert all(0 <= score <= 1 for score in scores)
        assert scores == sorted(scores, reverse=True)
        ours = similar(server, seed, filter=shared)
        assert {*ids(ours)} == {file["id"] for file in library.values()} - {seed}
        assert len({edge["score"] for edge in ours["edges"] if edge["score"] > 0}) >= 3

    def test_kicks_are_like_kicks(
        self, server: Server, library: dict[str, dict[str, Any]], shared: dict[str, Any]
    ):
        kicks = {"bd_haus", "bd_sone", "bd_zum"}
        for kick in kicks:
            found = similar(server, library[kick]["id"], first=4, filter=shared)
            nearest = {edge["node"]["filename"].partition(".")[0] for edge in found["edges"]}
            assert kicks - {kick} <= nearest, (kick, nearest)

    async def test_the_same_sound_in_another_file_is_the_likest(self, server: Server):
        y = np.round(sounds.beat(123) * 32_768) / 32_768
        made = [
            server.upload(sounds.encoded(y, each), level="STANDARD") for each in ("WAV", "FLAC")
        ]
        one, other = [payload["audioFile"]["id"] for payload in made]
        for id_ in (one, other):
            assert (await server.analyzed(id_))["status"] == "SUCCEEDED"
        edge = similar(server, one, first=1)["edges"][0]
        assert edge["node"]["id"] == other
        assert edge["score"] == pytest.approx(1, abs=1e-3)

    def test_is_mutual(self, server: Server, library: dict[str, dict[str, Any]]):
        def score(seed: str, of: str) -> float:
            edges = similar(server, library[seed]["id"], first=200)["edges"]
            [found] = [e["score"] for e in edges if e["node"]["id"] == library[of]["id"]]
            return found

        forth, back = score("bd_haus", "sn_dub"), score("sn_dub", "bd_haus")
        assert forth == pytest.approx(back, abs=1e-4)


Node = dict[str, Any]

FILTERS: dict[str, tuple[dict[str, Any], Callable[[Node], bool]]] = {
    "kinds": ({"kinds": ["ONE_SHOT"]}, lambda f: f["analysis"]["kind"] == "ONE_SHOT"),
    "other kinds": ({"kinds": ["LOOP"]}, lambda f: f["analysis"]["kind"] == "LOOP"),
    "no kind": ({"kinds": []}, lambda f: False),
    "labels": (
        {"labels": ["drum loop", "melodic loop"]},
        lambda f: bool(
            {"drum loop", "melodic loop"} & {label["name"] for label in f["analysis"]["labels"]}
        ),
    ),
    "search": ({"search": "HIS"}, lambda f: "hiss" in f["filename"]),
    "two words": ({"search": "hiss 2"}, lambda f: f["filename"] == "hiss 2.wav"),
    "a word's middle": ({"search": "iss"}, lambda f: False),
    "tags": ({"tags": ["note"]}, lambda f: "note" in f["tags"]),
    "tempo": (
        {"tempo": {"min": 90, "max": 110}},
        lambda f: bool(f["analysis"]["tempo"]) and 90 <= f["analysis"]["tempo"]["bpm"] <= 110,
    ),
    "duration": (
        {"durationSeconds": {"min": 0.3, "max": 1}},
        lambda f: 0.3 <= f["durationSeconds"] <= 1,
    ),
    "analysed": ({"analyzed": True}, lambda f: True),
    "not analysed": ({"analyzed": False}, lambda f: False),
    "all at once": (
        {"kinds": ["ONE_SHOT"], "search": "note", "durationSeconds": {"max": 0.5}},
        lambda f: "note" in f["filename"],
    ),
}


class TestFilters:
    @pytest.mark.parametrize("seed", ["note 0", "beat 100"])
    @pytest.mark.parametrize("name", FILTERS)
    def test_are_applied_inside_the_search(
        self, server: Server, shelf: dict[str, Any], seed: str, name: str
    ):
        given, matches = FILTERS[name]
        ours = {"tags": [shelf["tag"]]}
        ranking = similar(server, shelf[seed], first=200, filter=ours)["edges"]
        assert len(ranking) == 11
        expected = [edge["node"]["id"] for edge in ranking if matches(edge["node"])]

        filter_ = given | {"tags": [*given.get("tags", ()), shelf["tag"]]}
        found = similar(server, shelf[seed], first=3, filter=filter_)

        assert ids(found) == expected[:3]
        assert found["pageInfo"]["hasNextPage"] == (len(expected) > 3)

    def test_three_one_shots_though_a_loop_is_nearer(
        self, server: Server, library: dict[str, dict[str, Any]], shared: dict[str, Any]
    ):
        seed = library["loop_amen"]["id"]
        found = similar(server, seed, first=3, filter={**shared, "kinds": ["ONE_SHOT"]})
        assert len(found["edges"]) == 3
        assert {e["node"]["analysis"]["kind"] for e in found["edges"]} == {"ONE_SHOT"}

    def test_by_upload_time(self, server: Server, library: dict[str, dict[str, Any]]):
        files = sorted(library.values(), key=lambda file: file["uploadedAt"])
        bounds = {"from": files[2]["uploadedAt"], "to": files[5]["uploadedAt"]}
        found = similar(server, files[3]["id"], filter={"uploadedAt": bounds})
        assert {*ids(found)} == {files[n]["id"] for n in (2, 4, 5)}


class TestPages:
    def give_everything_once(
        self, server: Server, seed: str, size: int, filter_: dict[str, Any]
    ) -> list[str]:
        whole = similar(server, seed, first=200, filter=filter_)
        assert not whole["pageInfo"]["hasNextPage"]
        pages, after = [], None
        while True:
            pages.append(similar(server, seed, first=size, after=after, filter=filter_))
            if not pages[-1]["pageInfo"]["hasNextPage"]:
                break
            after = pages[-1]["pageInfo"]["endCursor"]
        assert [edge for found in pages for edge in found["edges"]] == whole["edges"]
        assert [len(found["edges"]) for found in pages[:-1]] == [size] * (len(pages) - 1)
        assert pages[-1]["edges"]
        return ids(whole)

    @pytest.mark.parametrize("size", [1, 3, 11])
    def test_give_everything_once(self, server: Server, shelf: dict[str, Any], size: int):
        filter_ = {"tags": [shelf["tag"]]}
        found = self.give_everything_once(server, shelf["note 2"], size, filter_)
        assert {*found} == {*shelf.values()} - {shelf["tag"], shelf["note 2"]}

    def test_where_nothing_is_alike(
        self, server: Server, library: dict[str, dict[str, Any]], shared: dict[str, Any]
    ):
        """A score of 0 is an order too: what is the furthest comes last."""
        for seed in library.values():
            found = self.give_everything_once(server, seed["id"], 2, shared)
            assert {*found} == {file["id"] for file in library.values()} - {seed["id"]}

    async def test_where_all_are_the_same(self, server: Server):
        tag = f"same{uuid.uuid4().hex}"
        content = sounds.encoded(sounds.tone())
        made = []
        for n in range(9):
            payload = server.upload(content + bytes([n]), tags=[tag], level="STANDARD")
            assert payload["errors"] == []
            made.append(payload["audioFile"]["id"])
        for id_ in made:
            assert (await server.analyzed(id_))["status"] == "SUCCEEDED"
        found = self.give_everything_once(server, made[4], 2, {"tags": [tag]})
        assert {*found} == {*made} - {made[4]}

    def test_none(self, server: Server, shelf: dict[str, Any]):
        found = similar(server, shelf["note 2"], first=0)
        assert found["edges"] == []
        assert found["pageInfo"]["hasNextPage"]

    def test_what_is_no_page(self, server: Server, shelf: dict[str, Any]):
        files = server.ask("{ audioFiles(first: 1) { edges { cursor } } }")["audioFiles"]
        forged = [
            base64.urlsafe_b64encode(f"similar\n{key}".encode()).decode()
            for key in ("", "1:x:y", "0:0.5", "a:b", "::")
        ]
        for asked in (
            {"first": -1},
            *({"after": cursor} for cursor in ("", "!!!", files["edges"][0]["cursor"], *forged)),
        ):
            for query in (ROOT, OF_FILE):
                extensions = server.refused(query, id=shelf["note 2"], **asked)["extensions"]
                assert extensions == {"code": "BAD_USER_INPUT", "field": [*asked]}, asked


class TestSeeds:
    def unknown_to_similarity(self, server: Server, id_: str) -> None:
        error = server.refused(ROOT, id=id_)
        assert error["extensions"] == {"code": "NOT_ANALYZED", "field": ["target", "audioFileId"]}
        found = server.ask(OF_FILE, id=id_)["node"]["similarTo"]
        assert found["edges"] == []
        assert not found["pageInfo"]["hasNextPage"]

    def test_without_an_analysis(self, server: Server):
        id_ = server.upload(sounds.encoded(sounds.tone()))["audioFile"]["id"]
        self.unknown_to_similarity(server, id_)

    async def test_with_a_basic_analysis_only(self, server: Server):
        id_ = server.upload(sounds.encoded(sounds.tone()), level="BASIC")["audioFile"]["id"]
        assert (await server.analyzed(id_))["status"] == "SUCCEEDED"
        self.unknown_to_similarity(server, id_)

    async def test_with_a_basic_analysis_after_a_deeper_one(self, server: Server):
        """It has been analysed at level STANDARD, so it has its likes."""
        id_ = server.upload(sounds.encoded(sounds.tone()), level="STANDARD")["audioFile"]["id"]
        assert (await server.analyzed(id_))["status"] == "SUCCEEDED"
        before = similar(server, id_, first=3)
        force = """mutation ($id: ID!) { analyzeAudio(
            input: {audioFileId: $id, level: BASIC, force: true}) { analysis { id } } }"""
        newer = server.ask(force, id=id_)["analyzeAudio"]["analysis"]["id"]
        assert (await server.analyzed(id_)) == {"id": newer, "status": "SUCCEEDED", "failure": None}
        assert similar(server, id_, first=3) == before

    @pytest.mark.parametrize(
        ("id_", "code"),
        [
            (base64.urlsafe_b64encode(b"AudioFile:" + b"0" * 24).decode().rstrip("="), "NOT_FOUND"),
            ("nonsense", "BAD_USER_INPUT"),
            ("", "BAD_USER_INPUT"),
        ],
    )
    def test_that_are_not_there(self, server: Server, id_: str, code: str):
        assert server.refused(ROOT, id=id_)["extensions"]["code"] == code

    @pytest.mark.parametrize("target", ["{}", "{audioFileId: null}", "null"])
    def test_that_are_not_named(self, server: Server, target: str):
        error = server.refused(f"{{ similarTo(target: {target}) {{ edges {{ cursor }} }} }}")
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        query = "query ($t: SimilarityTarget!) { similarTo(target: $t) { edges { cursor } } }"
        for value in ({}, {"audioFileId": None}, None):
            assert server.refused(query, t=value)["extensions"]["code"] == "BAD_USER_INPUT"


class TestDuplicates:
    async def test_the_same_sound_in_another_file_and_not_its_like(self, server: Server):
        chords = np.concatenate([sounds.tone(hertz, 0.4) for hertz in (220, 330, 277, 165)])
        made = {
            "loud": sounds.encoded(chords),
            "quiet": sounds.encoded(0.3 * chords),
            "trimmed": sounds.encoded(chords[: int(0.85 * len(chords))]),
            "other": sounds.encoded(np.concatenate([sounds.tone(233, 0.4)] * 4)),
        }
        stored = {
            name: server.upload(data, f"{name} {uuid.uuid4().hex}.wav")["audioFile"]["id"]
            for name, data in made.items()
        }
        query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { duplicates { id } } } }"
        assert server.ask(query, id=stored["loud"])["node"]["duplicates"] == []
        await server.batch(audioFileIds=[*stored.values()], level="STANDARD")
        found = {
            # Other tests upload tones too.
            name: {each["id"] for each in server.ask(query, id=id_)["node"]["duplicates"]}
            & {*stored.values()}
            for name, id_ in stored.items()
        }
        same = {stored["loud"], stored["quiet"], stored["trimmed"]}
        assert found == {
            "loud": same - {stored["loud"]},
            "quiet": same - {stored["quiet"]},
            "trimmed": same - {stored["trimmed"]},
            "other": set(),
        }


def test_a_similarity_has_its_reasons(server: Server, library: dict[str, dict[str, Any]]) -> None:
    query = """query ($id: ID!) { similarTo(target: {audioFileId: $id}, first: 5) {
        edges { score reasons { timbre envelope pitch rhythm } } } }"""
    edges = server.ask(query, id=next(iter(library.values()))["id"])["similarTo"]["edges"]
    assert edges
    for edge in edges:
        shares = edge["reasons"].values()
        assert all(0 <= share <= 1 for share in shares)
        assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert len({edge["reasons"]["timbre"] for edge in edges}) > 1
