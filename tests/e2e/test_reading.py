"""Reading a library: by id, in pages of every order, through every filter, and in numbers."""

import base64
import math
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import sounds
from tests.server import Server

Node = dict[str, Any]

FILE = """
fragment File on AudioFile {
  id filename durationSeconds sizeBytes tags uploadedAt
  analysis { id kind tempo { bpm } key { tonic mode } labels { name } }
}
"""

PAGE = (
    """
query ($filter: AudioFileFilter, $order: AudioFileOrder, $first: Int, $after: String,
       $last: Int, $before: String) {
  audioFiles(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last,
             before: $before) {
    totalCount
    edges { cursor node { ...File } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
    + FILE
)

STATS = """
query ($filter: AudioFileFilter) {
  libraryStats(filter: $filter) {
    audioFiles analyzed totalSeconds totalBytes
    byKind { name count } byKey { name count } byLabel { name count } byTempo { name count }
  }
}
"""

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


def page(server: Server, **variables: Any) -> dict[str, Any]:
    return server.ask(PAGE, **variables)["audioFiles"]


def nodes_of(connection: dict[str, Any]) -> list[Node]:
    return [edge["node"] for edge in connection["edges"]]


def ids(files: list[Node]) -> list[str]:
    return [file["id"] for file in files]


def tempo(file: Node) -> float | None:
    found = file["analysis"] and file["analysis"]["tempo"]
    return found and found["bpm"]


def key(file: Node) -> tuple[str, str] | None:
    found = file["analysis"] and file["analysis"]["key"]
    return found and (found["tonic"], found["mode"])


def kind(file: Node) -> str | None:
    return file["analysis"] and file["analysis"]["kind"]


def labels(file: Node) -> set[str]:
    return {label["name"] for label in file["analysis"]["labels"]} if file["analysis"] else set()


def typed(type_name: str, id_: str) -> str:
    """An id as the API makes them."""
    return base64.urlsafe_b64encode(f"{type_name}:{id_}".encode()).decode().rstrip("=")


class Shelf:
    """Ten sounds under a tag of their own, eight of them analysed, in upload order."""

    def __init__(self, tag: str, files: list[Node]) -> None:
        self.tag, self.files = tag, files

    def filter(self, **more: Any) -> dict[str, Any]:
        return {**more, "tags": [self.tag, *more.get("tags", ())]}


@pytest.fixture(scope="module")
async def shelf(server: Server) -> Shelf:
    tag = f"shelf{uuid.uuid4().hex}"  # begins like no word that is searched for
    made = [
        ("b Kick.wav", sounds.tone(60, 0.3), ["Drums"]),
        ("A kick.wav", sounds.tone(70, 0.3), ["Drums", "Deep House"]),
        ("a kick.wav", sounds.tone(80, 0.5), ["drums"]),
        ("Groove 100.wav", sounds.beat(100), ["Drums"]),
        ("groove 140.wav", sounds.beat(140), []),
        ("Groove 100.wav", sounds.beat(100), []),
        ("Äther.wav", sounds.chord(4), ["Pad"]),
        ("zither_pad-01.wav", sounds.chord(2, (60, 64, 67)), []),
        ("raw.wav", sounds.noise(0.3), ["Drums"]),
        ("RAW 2.wav", sounds.noise(1.5), []),
    ]
    stored = []
    for filename, y, tags in made:
        payload = server.upload(sounds.encoded(y), filename, tags=[tag, *tags])
        assert payload["errors"] == []
        stored.append(payload["audioFile"]["id"])
    batch = await server.batch(audioFileIds=stored[:8], level="STANDARD")
    assert batch["status"] == "SUCCEEDED"
    files = [server.ask(FILE_BY_ID, id=id_)["node"] for id_ in stored]
    assert sum(tempo(file) is not None for file in files) == 3
    assert sum(key(file) is not None for file in files) >= 2
    return Shelf(tag, files)


FILE_BY_ID = "query ($id: ID!) { node(id: $id) { ...File } }" + FILE

ORDERS: dict[str, Callable[[Node], Any]] = {
    "UPLOADED_AT": lambda file: file["uploadedAt"],
    "FILENAME": lambda file: file["filename"].casefold(),
    "DURATION": lambda file: file["durationSeconds"],
    "TEMPO": tempo,
}


def forwards(server: Server, size: int, **asked: Any) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        yield (found := page(server, first=size, after=after, **asked))
        if not found["pageInfo"]["hasNextPage"]:
            return
        after = found["pageInfo"]["endCursor"]


def backwards(server: Server, size: int, **asked: Any) -> Iterator[dict[str, Any]]:
    before = None
    while True:
        yield (found := page(server, last=size, before=before, **asked))
        if not found["pageInfo"]["hasPreviousPage"]:
            return
        before = found["pageInfo"]["startCursor"]


class TestPages:
    @pytest.mark.parametrize("more", [{}, {"kinds": ["ONE_SHOT", "LOOP"], "search": "wav"}])
    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    @pytest.mark.parametrize("field", ORDERS)
    def test_both_ways_give_the_whole_list_in_order(
        self, server: Server, shelf: Shelf, field: str, direction: str, more: dict[str, Any]
    ):
        order = {"field": field, "direction": direction}
        asked = {"filter": shelf.filter(**more), "order": order}
        whole = page(server, first=200, **asked)
        files = nodes_of(whole)

        expected = [file for file in shelf.files if not more or file["analysis"]]
        assert sorted(ids(files)) == sorted(ids(expected))
        values = [ORDERS[field](file) for file in files]
        present = [value for value in values if value is not None]
        assert present == sorted(present, reverse=direction == "DESC")
        assert values == present + [None] * (len(values) - len(present))

        pages = list(forwards(server, 3, **asked))
        assert [len(found["edges"]) for found in pages[:-1]] == [3] * (len(pages) - 1)
        assert len(pages) == math.ceil(len(expected) / 3)
        assert [edge for found in pages for edge in found["edges"]] == whole["edges"]
        assert [found["pageInfo"]["hasPreviousPage"] for found in pages] == [
            number > 0 for number in range(len(pages))
        ]

        pages = list(backwards(server, 3, **asked))
        assert len(pages) == math.ceil(len(expected) / 3)
        assert [edge for found in reversed(pages) for edge in found["edges"]] == whole["edges"]
        assert [found["pageInfo"]["hasNextPage"] for found in pages] == [
            number > 0 for number in range(len(pages))
        ]
        assert {found["totalCount"] for found in (whole, *pages)} == {len(expected)}

    def test_the_newest_upload_comes_first_by_default(self, server: Server, shelf: Shelf):
        assert ids(nodes_of(page(server, filter=shelf.filter()))) == ids(shelf.files[::-1])

    def test_every_cursor_cuts_where_it_stands(self, server: Server, shelf: Shelf):
        edges = page(server, filter=shelf.filter())["edges"]
        for at, edge in enumerate(edges):
            following = page(server, filter=shelf.filter(), after=edge["cursor"])
            assert following["edges"] == edges[at + 1 :]
            preceding = page(server, filter=shelf.filter(), last=50, before=edge["cursor"])
            assert preceding["edges"] == edges[:at]
        between = page(
            server, filter=shelf.filter(), after=edges[1]["cursor"], before=edges[5]["cursor"]
        )
        assert between["edges"] == edges[2:5]

    def test_a_page_keeps_its_place_while_files_come(self, server: Server):
        tag = uuid.uuid4().hex

        def upload() -> str:
            payload = server.upload(sounds.encoded(sounds.tone()), "x.wav", tags=[tag])
            return payload["audioFile"]["id"]

        stored = [upload() for _ in range(4)]
        first = page(server, filter={"tags": [tag]}, first=2)
        upload()
        after = first["pageInfo"]["endCursor"]
        second = page(server, filter={"tags": [tag]}, first=2, after=after)
        assert ids(nodes_of(first) + nodes_of(second)) == stored[::-1]
        assert second["totalCount"] == 5

    def test_none_and_too_many(self, server: Server, shelf: Shelf):
        none = page(server, filter=shelf.filter(), first=0)
        assert none["edges"] == []
        assert none["totalCount"] == len(shelf.files)
        assert none["pageInfo"] == {
            "hasNextPage": True,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        }
        assert page(server, filter=shelf.filter(), last=0)["edges"] == []
        assert len(page(server, filter=shelf.filter(), first=100_000)["edges"]) == 10

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({"first": -1}, ["first"]),
            ({"last": -1}, ["last"]),
            ({"first": 1, "last": 1}, ["last"]),
            ({"after": "!!!"}, ["after"]),
            ({"after": ""}, ["after"]),
            ({"after": "Incorrect padding"}, ["after"]),
            ({"after": "////"}, ["after"]),
            ({"before": "bm90IGEgY3Vyc29y"}, ["before"]),
            ({"after": "é" * 1000}, ["after"]),
        ],
    )
    def test_what_is_no_page(self, server: Server, asked: dict[str, Any], field: list[str]):
        extensions = server.refused(PAGE, **asked)["extensions"]
        assert extensions == {"code": "BAD_USER_INPUT", "field": field}

    def test_a_cursor_of_another_list_or_order(self, server: Server, shelf: Shelf):
        def cursor(field: str, direction: str) -> str:
            order = {"field": field, "direction": direction}
            return page(server, filter=shelf.filter(), order=order)["edges"][0]["cursor"]

        strange = [cursor("FILENAME", "ASC"), cursor("TEMPO", "DESC"), cursor("UPLOADED_AT", "ASC")]
        jobs = server.ask("{ batchJobs(first: 1) { edges { cursor } } }")["batchJobs"]["edges"]
        strange.append(jobs[0]["cursor"])
        for each in strange:
            for name in ("after", "before"):
                error = server.refused(PAGE, **{name: each})
                assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": [name]}
                assert "another list or order" in error["message"]


FILTERS: dict[str, tuple[dict[str, Any], Callable[[Node], bool]]] = {
    "a word": ({"search": "kick"}, lambda f: "kick" in f["filename"].lower()),
    "a word's beginning": ({"search": "GRO"}, lambda f: "roove" in f["filename"]),
    "a word's middle": ({"search": "roove"}, lambda f: False),
    "two words": ({"search": "groove 10"}, lambda f: f["filename"] == "Groove 100.wav"),
    "a word within punctuation": ({"search": "pad 01"}, lambda f: "pad-01" in f["filename"]),
    "a word of a tag": ({"search": "house"}, lambda f: "Deep House" in f["tags"]),
    "a name and a tag": ({"search": "kick house"}, lambda f: "Deep House" in f["tags"]),
    "another alphabet": ({"search": "äth"}, lambda f: f["filename"] == "Äther.wav"),
    "no word": ({"search": "  "}, lambda f: True),
    "punctuation": ({"search": "$.*("}, lambda f: True),
    "a word nowhere": ({"search": "kick nowhere"}, lambda f: False),
    "a tag": ({"tags": ["Drums"]}, lambda f: "Drums" in f["tags"]),
    "two tags": ({"tags": ["Drums", "Deep House"]}, lambda f: "Deep House" in f["tags"]),
    "a tag nowhere": ({"tags": ["Drums", "nowhere"]}, lambda f: False),
    "a kind": ({"kinds": ["LOOP"]}, lambda f: kind(f) == "LOOP"),
    "two kinds": ({"kinds": ["LOOP", "TRACK"]}, lambda f: kind(f) in ("LOOP", "TRACK")),
    "no kind": ({"kinds": []}, lambda f: False),
    "a label": ({"labels": ["drum loop"]}, lambda f: "drum loop" in labels(f)),
    "two labels": (
        {"labels": ["drum loop", "tonal"]},
        lambda f: bool(labels(f) & {"drum loop", "tonal"}),
    ),
    "no label": ({"labels": []}, lambda f: False),
    "a key": (
        {"keys": [{"tonic": "a", "mode": "MINOR"}]},
        lambda f: key(f) == ("A", "MINOR"),
    ),
    "two keys": (
        {"keys": [{"tonic": "A", "mode": "MINOR"}, {"tonic": "C", "mode": "MAJOR"}]},
        lambda f: key(f) in (("A", "MINOR"), ("C", "MAJOR")),
    ),
    "a key by its flat": ({"keys": [{"tonic": "Db", "mode": "MAJOR"}]}, lambda f: False),
    "no key": ({"keys": []}, lambda f: False),
    "a tempo from": ({"tempo": {"min": 120}}, lambda f: (tempo(f) or 0) >= 120),
    "a tempo to": ({"tempo": {"max": 120}}, lambda f: (tempo(f) or 999) <= 120),
    "a tempo between": (
        {"tempo": {"min": 90, "max": 110}},
        lambda f: 90 <= (tempo(f) or 0) <= 110,
    ),
    "an open tempo": ({"tempo": {}}, lambda f: True),
    "a length": (
        {"durationSeconds": {"min": 0.3, "max": 0.5}},
        lambda f: f["durationSeconds"] <= 0.5,
    ),
    "analysed": ({"analyzed": True}, lambda f: f["analysis"] is not None),
    "not analysed": ({"analyzed": False}, lambda f: f["analysis"] is None),
    "all at once": (
        {
            "search": "groove",
            "tags": ["Drums"],
            "kinds": ["LOOP"],
            "tempo": {"min": 99, "max": 101},
            "durationSeconds": {"min": 1},
            "analyzed": True,
        },
        lambda f: f["filename"] == "Groove 100.wav" and "Drums" in f["tags"],
    ),
}
NOWHERE = ("middle", "nowhere", "no kind", "no label", "no key", "flat")
EVERYWHERE = ("no word", "punctuation", "an open tempo")


class TestFilters:
    @pytest.mark.parametrize("name", FILTERS)
    def test_give_what_matches(self, server: Server, shelf: Shelf, name: str):
        given, matches = FILTERS[name]
        expected = [file for file in shelf.files if matches(file)]
        if not name.endswith(NOWHERE) and name not in EVERYWHERE:
            assert 0 < len(expected) < len(shelf.files), "the sounds do not try this filter"

        found = page(server, filter=shelf.filter(**given))

        assert ids(nodes_of(found)) == ids(expected[::-1])
        assert found["totalCount"] == len(expected)
        stats = server.ask(STATS, filter=shelf.filter(**given))["libraryStats"]
        assert stats["audioFiles"] == len(expected)

    def test_a_range_of_upload_times_includes_its_ends(self, server: Server, shelf: Shelf):
        start, end = shelf.files[2]["uploadedAt"], shelf.files[5]["uploadedAt"]
        for bounds, expected in (
            ({"from": start, "to": end}, shelf.files[2:6]),
            ({"from": start}, shelf.files[2:]),
            ({"to": end}, shelf.files[:6]),
            ({"from": start.replace("+00:00", "Z"), "to": None}, shelf.files[2:]),
        ):
            found = page(server, filter=shelf.filter(uploadedAt=bounds))
            assert ids(nodes_of(found)) == ids(expected[::-1])

    def test_of_another_time_zone(self, server: Server, shelf: Shelf):
        beyond = {"from": "0001-01-01T00:00:00+14:00"}
        error = server.refused(PAGE, filter=shelf.filter(uploadedAt=beyond))
        assert error["extensions"]["code"] == "BAD_USER_INPUT"

    @pytest.mark.parametrize("tonic", ["H", "", "C##", "A minor"])
    def test_no_such_key(self, server: Server, tonic: str):
        error = server.refused(PAGE, filter={"keys": [{"tonic": tonic, "mode": "MAJOR"}]})
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["filter", "keys"]}


class TestStats:
    def check(self, stats: dict[str, Any], files: list[Node]) -> None:
        assert stats["audioFiles"] == len(files)
        assert stats["analyzed"] == sum(file["analysis"] is not None for file in files)
        assert stats["totalBytes"] == sum(file["sizeBytes"] for file in files)
        assert stats["totalSeconds"] == pytest.approx(sum(f["durationSeconds"] for f in files))
        tens = [10 * int(bpm // 10) for file in files if (bpm := tempo(file))]
        counts = {
            "byKind": Counter(name for file in files if (name := kind(file))),
            "byKey": Counter(
                f"{found[0]} {found[1].lower()}" for file in files if (found := key(file))
            ),
            "byLabel": Counter(label for file in files for label in labels(file)),
            "byTempo": Counter(f"{ten}-{ten + 9}" for ten in tens),
        }
        for name, expected in counts.items():
            assert expected, f"the sounds do not try {name}"
            assert {bucket["name"]: bucket["count"] for bucket in stats[name]} == expected
            places = [(-bucket["count"], bucket["name"]) for bucket in stats[name]]
            assert places == sorted(places)

    def test_of_a_filter(self, server: Server, shelf: Shelf):
        stats = server.ask(STATS, filter=shelf.filter())["libraryStats"]
        self.check(stats, shelf.files)

    def test_of_the_whole_library(self, server: Server, shelf: Shelf):
        files = [file for found in forwards(server, 200) for file in nodes_of(found)]
        assert {*ids(shelf.files)} < {*ids(files)}
        assert len({*ids(files)}) == len(files)
        stats = server.ask(STATS)["libraryStats"]
        self.check(stats, files)
        assert stats["audioFiles"] == page(server, first=0)["totalCount"]

    def test_of_nothing(self, server: Server):
        stats = server.ask(STATS, filter={"tags": [uuid.uuid4().hex]})["libraryStats"]
        numbers = ("audioFiles", "analyzed", "totalSeconds", "totalBytes")
        assert [stats.pop(name) for name in numbers] == [0, 0, 0, 0]
        assert set(map(tuple, stats.values())) == {()}

    async def test_tell_a_write_at_once(self, server: Server):
        """Written by the API and by the worker, read by the API right after."""
        tag = f"stats{uuid.uuid4().hex}"

        def told() -> tuple[int, int]:
            stats = server.ask(STATS, filter={"tags": [tag]})["libraryStats"]
            return stats["audioFiles"], stats["analyzed"]

        assert told() == (0, 0)
        file = server.upload(sounds.encoded(sounds.tone()), tags=[tag])["audioFile"]
        assert told() == (1, 0)
        analyze = "analyzeAudio(input: {audioFileId: $id}) { analysis { id } }"
        server.ask(f"mutation ($id: ID!) {{ {analyze} }}", id=file["id"])
        assert (await server.analyzed(file["id"]))["status"] == "SUCCEEDED"
        assert told() == (1, 1)
        delete = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { deletedId } }"
        server.ask(delete, id=file["id"])
        assert told() == (0, 0)


class TestNodes:
    @pytest.fixture
    def known(self, server: Server, shelf: Shelf) -> dict[str, str]:
        data = server.ask("{ viewer { id } batchJobs(first: 1) { edges { node { id } } } }")
        return {
            "AudioFile": shelf.files[0]["id"],
            "Analysis": shelf.files[0]["analysis"]["id"],
            "BatchJob": data["batchJobs"]["edges"][0]["node"]["id"],
            "User": data["viewer"]["id"],
        }

    def test_anything_by_its_id(self, server: Server, known: dict[str, str]):
        for type_name, id_ in known.items():
            assert server.ask(NODE, id=id_)["node"] == {"__typename": type_name, "id": id_}

    @pytest.mark.parametrize(
        "id_",
        [
            *(typed(name, "0" * 24) for name in ("AudioFile", "Analysis", "BatchJob", "User")),
            typed("Potato", "1"),
            typed("AudioFile", ""),
            typed("AudioFile", "$where"),
        ],
    )
    def test_what_is_not_there_is_null(self, server: Server, id_: str):
        assert server.ask(NODE, id=id_)["node"] is None

    @pytest.mark.parametrize(
        "id_", ["", "x", "!!!", "1234", typed("AudioFile", "a:b"), "ÄÖ", "%00", "a" * 9_999]
    )
    def test_what_is_no_id(self, server: Server, id_: str):
        for query, variables in ((NODE, {"id": id_}), (NODES, {"ids": [id_]})):
            error = server.refused(query, **variables)
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert len(error["message"]) < 200

    def test_many_in_their_order(self, server: Server, shelf: Shelf, known: dict[str, str]):
        unknown = typed("AudioFile", "0" * 24)
        asked = [*known.values(), unknown, *ids(shelf.files[::-1]), known["User"]]
        found = server.ask(NODES, ids=asked)["nodes"]
        expected: list[str | None] = [*asked]
        expected[expected.index(unknown)] = None
        assert [node and node["id"] for node in found] == expected
        assert server.ask(NODES, ids=[])["nodes"] == []

    def test_an_id_of_another_type(self, server: Server, known: dict[str, str]):
        query = "query ($id: ID!) { similarTo(target: {audioFileId: $id}) { edges { cursor } } }"
        for type_name in ("Analysis", "BatchJob", "User"):
            extensions = server.refused(query, id=known[type_name])["extensions"]
            assert extensions == {"code": "BAD_USER_INPUT", "field": ["target", "audioFileId"]}
        for mutation, type_name in (
            ("deleteAudioFile", "BatchJob"),
            ("updateAudioFile", "User"),
            ("cancelBatchJob", "AudioFile"),
            ("retryBatchJob", "Analysis"),
        ):
            query = f"""mutation ($id: ID!) {{
                a: {mutation}(input: {{id: $id}}) {{ errors {{ code field }} }} }}"""
            [error] = server.ask(query, id=known[type_name])["a"]["errors"]
            assert error == {"code": "BAD_USER_INPUT", "field": ["input", "id"]}

    def test_the_way_from_one_to_another(self, server: Server, shelf: Shelf):
        query = """query ($id: ID!) { node(id: $id) { ... on AudioFile {
            owner { id username } analysis { audioFile { id analysis { id } } } } } }"""
        file = shelf.files[0]
        found = server.ask(query, id=file["id"])["node"]
        assert found["owner"] == server.ask("{ viewer { id username } }")["viewer"]
        assert found["analysis"]["audioFile"]["id"] == file["id"]
        assert found["analysis"]["audioFile"]["analysis"]["id"] == file["analysis"]["id"]


ANALYSES = """
query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  node(id: $id) { ... on AudioFile {
    analysis { id }
    analyses(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id level status queuedAt } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  } }
}
"""


async def test_the_analyses_of_a_file(server: Server):
    id_ = server.upload(sounds.encoded(sounds.tone()))["audioFile"]["id"]
    assert server.ask(ANALYSES, id=id_)["node"]["analyses"]["edges"] == []
    asked = []
    for level in ("BASIC", "STANDARD", "DETAILED"):
        analyze = """mutation ($id: ID!, $level: AnalysisLevel) {
            analyzeAudio(input: {audioFileId: $id, level: $level}) { analysis { id } } }"""
        asked.append(server.ask(analyze, id=id_, level=level)["analyzeAudio"]["analysis"]["id"])
        assert (await server.analyzed(id_))["status"] == "SUCCEEDED"

    found = server.ask(ANALYSES, id=id_)["node"]
    edges = found["analyses"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == asked[::-1]
    assert [edge["node"]["level"] for edge in edges] == ["DETAILED", "STANDARD", "BASIC"]
    assert found["analysis"]["id"] == asked[-1]

    first = server.ask(ANALYSES, id=id_, first=2)["node"]["analyses"]
    assert first["edges"] == edges[:2]
    assert first["pageInfo"]["hasNextPage"]
    after = first["pageInfo"]["endCursor"]
    rest = server.ask(ANALYSES, id=id_, first=2, after=after)["node"]["analyses"]
    assert rest["edges"] == edges[2:]
    assert not rest["pageInfo"]["hasNextPage"]
    last = server.ask(ANALYSES, id=id_, last=1)["node"]["analyses"]
    assert last["edges"] == edges[2:]
    assert last["pageInfo"]["hasPreviousPage"]
    before = last["pageInfo"]["startCursor"]
    assert (
        server.ask(ANALYSES, id=id_, last=9, before=before)["node"]["analyses"]["edges"]
        == (edges[:2])
    )


async def test_the_batch_jobs(server: Server, shelf: Shelf):
    query = """query ($first: Int, $after: String, $last: Int, $before: String) {
      batchJobs(first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { id createdAt total } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
    already = server.ask(query, first=0)["batchJobs"]["totalCount"]
    made = [
        (await server.batch(audioFileIds=ids(shelf.files[:size]), level="BASIC"))["id"]
        for size in (1, 2, 3)
    ]

    newest = server.ask(query, first=3)["batchJobs"]

    assert newest["totalCount"] == already + 3
    assert [edge["node"]["id"] for edge in newest["edges"]] == made[::-1]
    assert [edge["node"]["total"] for edge in newest["edges"]] == [3, 2, 1]
    every, after = [], None
    while True:
        found = server.ask(query, first=2, after=after)["batchJobs"]
        every += found["edges"]
        if not found["pageInfo"]["hasNextPage"]:
            break
        after = found["pageInfo"]["endCursor"]
    assert len({edge["node"]["id"] for edge in every}) == len(every) == already + 3
    times = [edge["node"]["createdAt"] for edge in every]
    assert times == sorted(times, reverse=True)
    oldest = server.ask(query, last=2)["batchJobs"]
    assert oldest["edges"] == every[-2:]
    before = oldest["pageInfo"]["startCursor"]
    assert server.ask(query, last=2, before=before)["batchJobs"]["edges"] == every[-4:-2]


def test_what_is_known_of_the_viewer(server: Server):
    query = """query ($after: String) { viewer { totalUploads totalAnalyses
        audioFiles(first: 7, after: $after) { totalCount edges { node { id } }
                                              pageInfo { endCursor } } }
        libraryStats { audioFiles }
        audioFiles(first: 14) { edges { node { id } } } }"""
    found = server.ask(query)
    viewer = found["viewer"]
    total = found["libraryStats"]["audioFiles"]
    assert viewer["totalUploads"] == viewer["audioFiles"]["totalCount"] == total
    assert viewer["totalAnalyses"] >= len(server.sounds)
    after = viewer["audioFiles"]["pageInfo"]["endCursor"]
    rest = server.ask(query, after=after)["viewer"]["audioFiles"]
    newest = ids(nodes_of(found["audioFiles"]))
    assert ids(nodes_of(viewer["audioFiles"]) + nodes_of(rest)) == newest


def test_too_many_nodes(server: Server):
    id_ = server.ask("{ viewer { id } }")["viewer"]["id"]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert server.ask(query, ids=[id_] * 200)["nodes"] == [{"id": id_}] * 200
    refused = server.refused(query, ids=[id_] * 201)["extensions"]
    assert refused == {"code": "BAD_USER_INPUT", "field": ["ids"]}
