"""A library asked in words: what is found, in which order, page by page, and what is given up."""

from typing import Any

import pytest

from samplemind.domain.analysis import (
    Findings,
    Label,
    Loudness,
    Mode,
    MusicalKey,
    SampleKind,
    Tempo,
)
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from samplemind.settings import Settings
from tests.asking import Person
from tests.domain.models import embedding, findings

ASK = """query ($prompt: String!, $first: Int, $after: String) {
  searchAudio(prompt: $prompt, first: $first, after: $after) {
    edges { cursor score node { filename } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
    understood {
      filter {
        search kinds labels withoutLabels keys { tonic mode } tempo { min max }
        durationSeconds { min max } loudness { min max }
      }
      profile { like unlike }
      ignoredWords relaxed by fallback { code message }
    }
  }
}"""


@pytest.fixture
def person(parts: Parts, owner_id: str) -> Person:
    return Person(parts, owner_id)


def _heard(*labels: tuple[str, float], at: tuple[float, ...] = (1.0,), **fields: Any) -> Findings:
    values: dict[str, Any] = {
        "kind": SampleKind.ONE_SHOT,
        "tempo": None,
        "key": None,
        "labels": tuple(Label(*label) for label in labels),
        "embedding": embedding(*at),
    }
    return findings(**(values | fields))


async def _bass(person: Person, name: str, darkness: float, bpm: float = 174) -> AudioFile:
    """Basses lie on a circle, the darkest at its one end."""
    word = ("dark", 0.03 * darkness) if darkness > 0 else ("bright", -0.03 * darkness)
    return await person.stores(
        _heard(
            ("bass loop", 0.9),
            *([word] if darkness else []),
            at=(1.0, darkness),
            kind=SampleKind.LOOP,
            tempo=Tempo(bpm, 0.9, ()),
            key=MusicalKey("F", Mode.MINOR, 0.9),
        ),
        filename=f"{name}.wav",
    )


async def search(person: Person, prompt: str, **page: Any) -> dict[str, Any]:
    return (await person.ask(ASK, prompt=prompt, **page))["searchAudio"]


def names(found: dict[str, Any]) -> list[str]:
    return [edge["node"]["filename"].removesuffix(".wav") for edge in found["edges"]]


def said(found: dict[str, Any]) -> dict[str, Any]:
    """What of the filter is not null."""
    return {k: v for k, v in found["understood"]["filter"].items() if v is not None}


class TestWhatIsFound:
    async def test_what_is_plain_filters_and_what_is_not_ranks(self, person: Person):
        for name, darkness in (("darker", 0.8), ("light", -0.8), ("plain", 0.0), ("dark", 0.5)):
            await _bass(person, name, darkness)
        await _bass(person, "slow", 0.9, bpm=120)
        await person.stores(_heard(("kick", 0.9), ("dark", 0.03)), filename="kick.wav")
        found = await search(person, "dark rolling bass around 174 in F minor")
        assert names(found) == ["darker", "dark", "plain", "light"]
        scores = [edge["score"] for edge in found["edges"]]
        assert scores == sorted(scores, reverse=True)
        assert found["understood"] == {
            "filter": {
                "search": None,
                "kinds": None,
                "labels": ["bass loop"],
                "withoutLabels": None,
                "keys": [{"tonic": "F", "mode": "MINOR"}],
                "tempo": {"min": 168.78, "max": 179.22},
                "durationSeconds": None,
                "loudness": None,
            },
            "profile": {"like": ["dark"], "unlike": []},
            "ignoredWords": ["rolling"],
            "relaxed": [],
            "by": "PARSER",
            "fallback": None,
        }
        assert names(await search(person, "bright bass around 174"))[0] == "light"

    async def test_the_filter_can_be_passed_on_as_one(self, person: Person):
        await _bass(person, "bass", 0.5)
        found = await search(person, "bass loop in F minor 174, no vocals")
        query = """query ($filter: AudioFileFilter) {
            audioFiles(filter: $filter) { edges { node { filename } } } }"""
        again = await person.ask(query, filter=said(found))
        assert names(again["audioFiles"]) == names(found) == ["bass"]

    async def test_of_names_alone_the_surest_are_the_examples(self, person: Person):
        for number in range(12):
            heard = _heard(("snare", 0.95 - 0.07 * number), at=(1, 0.2 * number))
            await person.stores(heard, filename=f"{number}.wav")
        await person.stores(_heard(("clap", 0.9)), filename="clap.wav")
        found = names(await search(person, "snares"))
        assert {*found[:4]} == {"0", "1", "2", "3"}
        assert found[-1] == "11"

    async def test_what_is_hardly_a_kick_is_no_dark_kick(self, person: Person):
        """However dark it is: up to three names are given, the last of which is a mere chance."""
        for name, kick, dark, at in (
            ("dark kick", 0.9, 0.015, (1, 0.2)),
            ("kick", 0.9, 0, (1, 0)),
            ("dark tom", 0.05, 0.03, (0.9, 0.5)),
        ):
            labels = (("kick", kick), *((("dark", dark),) if dark else ()))
            await person.stores(_heard(*labels, at=at), filename=f"{name}.wav")
        found = await search(person, "dark kick")
        # "dark" is a word of the analysis, so that names do not count.
        assert names(found) == ["dark kick", "kick", "dark tom"]

    async def test_a_word_that_names_hold_ranks_by_the_sounds_named_so(self, person: Person):
        for name, at in (("rolling 1", (0, 1)), ("other", (1, 0)), ("much like it", (0.1, 1))):
            await person.stores(_heard(("bass", 0.9), at=at), filename=f"{name}.wav")
        found = await search(person, "rolling bass")
        assert found["understood"]["profile"]["like"] == ["rolling"]
        assert names(found)[-1] == "other"
        assert found["understood"]["ignoredWords"] == []

    async def test_a_word_of_names_filters(self, person: Person):
        await person.stores(_heard(("drum loop", 0.9)), filename="Amen 165.wav")
        await person.stores(_heard(("drum loop", 0.9)), filename="Think.wav")
        found = await search(person, "amen break xyzzy")
        assert names(found) == ["Amen 165"]
        assert said(found) == {"search": "amen", "labels": ["drum loop"]}
        assert found["understood"]["ignoredWords"] == ["xyzzy"]

    async def test_without_a_profile_the_newest_come_first_also_what_is_not_analysed(
        self, person: Person
    ):
        await person.stores(filename="old.wav", seconds=1.0)
        await person.stores(filename="new.wav", seconds=1.0)
        await person.stores(filename="long.wav", seconds=9.0)
        found = await search(person, "under 2 seconds")
        assert names(found) == ["new", "old"]
        assert [edge["score"] for edge in found["edges"]] == [None, None]

    async def test_negations_keep_away(self, person: Person):
        for name, labels in (
            ("a", (("pad", 0.9), ("bright", 0.02))),
            ("b", (("pad", 0.9), ("vocal", 0.4))),
            ("c", (("pad", 0.9),)),
        ):
            await person.stores(_heard(*labels), filename=f"{name}.wav")
        assert names(await search(person, "pad, not bright, no vocals")) == ["c"]

    async def test_loudness_filters(self, person: Person):
        for name, lufs in (("loud", -8.0), ("quiet", -30.0)):
            loudness = Loudness(lufs, -1.0, None)
            await person.stores(_heard(("kick", 0.9), loudness=loudness), filename=f"{name}.wav")
        assert names(await search(person, "loud kick")) == ["loud"]
        assert names(await search(person, "kick below -20 LUFS")) == ["quiet"]

    @pytest.mark.parametrize("prompt", ["please", "xyzzy plugh", "!!!", "rolling"])
    async def test_who_says_nothing_finds_nothing(self, person: Person, prompt: str):
        await person.stores(_heard(("kick", 0.9)))
        found = await search(person, prompt)
        assert found["edges"] == []
        assert said(found) == {}

    async def test_an_empty_library_is_no_error(self, person: Person):
        found = await search(person, "dark kick")
        assert found["edges"] == []
        assert found["understood"]["relaxed"] == []

    async def test_another_s_sounds_are_neither_found_nor_examples(
        self, parts: Parts, person: Person
    ):
        await _bass(Person(parts, new_id()), "theirs", 0.9)
        await _bass(person, "mine", 0.1)
        assert names(await search(person, "dark bass")) == ["mine"]


class TestWhatIsGivenUp:
    @pytest.fixture
    async def loops(self, person: Person) -> None:
        await _bass(person, "bass", 0.5, bpm=120)
        loop = _heard(("drum loop", 0.9), kind=SampleKind.LOOP, tempo=Tempo(174, 0.9, ()))
        await person.stores(loop, filename="Amen.wav")
        pad = _heard(("pad", 0.9), ("bright", 0.02), at=(0, -1), kind=SampleKind.LOOP)
        await person.stores(pad, filename="pad.wav")

    @pytest.mark.parametrize(
        ("prompt", "relaxed", "found"),
        [
            ("bass loop 174", ["TEMPO"], ["bass"]),
            ("bass loop 120 in G major", ["KEYS"], ["bass"]),
            ("bass loop in G major at 174", ["KEYS", "TEMPO"], ["bass"]),
            # What is given up before, and without need, is taken back.
            ("amen break in G major", ["KEYS"], ["Amen"]),
            ("bass loop under 9 s at 150 in F minor", ["TEMPO"], ["bass"]),
            ("bass loop under 1 s 120 in F minor", ["DURATION_SECONDS"], ["bass"]),
            ("amen bass loop", ["SEARCH"], ["bass"]),
            ("pad one-shot", ["KINDS"], ["pad"]),
            ("dark guitar", ["LABELS"], ["bass", "pad", "Amen"]),
            ("vocals 120 in F minor", ["LABELS"], ["bass"]),
            # Nothing else is asked for: then there is nothing.
            ("vocals", [], []),
            ("vocals in G major", [], []),
        ],
    )
    async def test_as_little_as_it_takes(
        self, person: Person, loops: None, prompt: str, relaxed: list[str], found: list[str]
    ):
        answer = await search(person, prompt)
        assert answer["understood"]["relaxed"] == relaxed
        assert sorted(names(answer)) == sorted(found)

    async def test_what_was_understood_is_shown_whole(self, person: Person, loops: None):
        answer = await search(person, "bass loop 174")
        assert said(answer)["tempo"] == {"min": 173.0, "max": 175.0}


class TestPages:
    async def _pages(self, person: Person, prompt: str, size: int) -> list[dict[str, Any]]:
        pages, after = [], None
        while True:
            page = await search(person, prompt, first=size, after=after)
            pages.append(page)
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            if not page["pageInfo"]["hasNextPage"]:
                return pages
            after = page["pageInfo"]["endCursor"]

    @pytest.mark.parametrize("prompt", ["dark bass loop", "174 bpm"])
    async def test_they_fit_together(self, person: Person, prompt: str):
        for number in range(7):
            await _bass(person, str(number), number / 7)
        whole = await search(person, prompt)
        pages = await self._pages(person, prompt, 3)
        assert [name for page in pages for name in names(page)] == names(whole)
        assert [len(page["edges"]) for page in pages] == [3, 3, 1]
        assert all(page["understood"] == whole["understood"] for page in pages)
        assert len({edge["cursor"] for edge in whole["edges"]}) == 7

    async def test_a_later_page_means_what_the_first_did(self, person: Person):
        """Also when words of it have become known, and its examples are others."""
        for number in range(6):
            await _bass(person, str(number), number / 6)
        first = await search(person, "dark rolling bass", first=3)
        await _bass(person, "rolling", -0.9)
        await _bass(person, "darkest", 5.0)
        second = await search(
            person, "dark rolling bass", first=9, after=first["pageInfo"]["endCursor"]
        )
        assert second["understood"] == first["understood"]
        assert second["understood"]["ignoredWords"] == ["rolling"]
        assert {*names(first), *names(second)} >= {*"012345"}
        assert not {*names(first)} & {*names(second)}
        anew = await search(person, "dark rolling bass")
        assert anew["understood"]["ignoredWords"] == []

    async def test_they_fit_together_without_redis(
        self, settings: Settings, person: Person, unused_tcp_port: int
    ):
        for number in range(5):
            await _bass(person, str(number), number / 5)
        whole = await search(person, "dark bass loop")
        away = settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{unused_tcp_port}"})
        parts = Parts.open(away)
        alone = Person(parts, person.owner_id)
        pages = await self._pages(alone, "dark bass loop", 2)
        assert [name for page in pages for name in names(page)] == names(whole)
        await _bass(person, "darkest", 3.0)
        cursor = pages[0]["pageInfo"]["endCursor"]
        error = await alone.refused(ASK, prompt="dark bass loop", after=cursor)
        assert error["code"] == "BAD_USER_INPUT"
        assert "begin again" in error["message"]
        await parts.close()

    async def test_a_cursor_is_of_one_prompt_and_one_owner(self, parts: Parts, person: Person):
        await _bass(person, "bass", 0.5)
        cursor = (await search(person, "dark bass"))["edges"][0]["cursor"]
        for who, prompt in ((person, "bright bass"), (Person(parts, new_id()), "dark bass")):
            error = await who.refused(ASK, prompt=prompt, after=cursor)
            assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["after"])

    async def test_a_cursor_of_something_else_is_refused(self, person: Person):
        await _bass(person, "bass", 0.5)
        query = "{ audioFiles { edges { cursor } } }"
        other = (await person.ask(query))["audioFiles"]["edges"][0]["cursor"]
        for cursor in (other, "nonsense", ""):
            assert (await person.refused(ASK, prompt="dark", after=cursor))["code"] == (
                "BAD_USER_INPUT"
            )


@pytest.mark.parametrize("prompt", ["", " \n", "\x00", "\ud800", "x" * 501])
async def test_a_prompt_that_is_none_is_refused(person: Person, prompt: str) -> None:
    error = await person.refused(ASK, prompt=prompt)
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["prompt"])


@pytest.mark.parametrize(
    "prompt",
    ["kick'; DROP TABLE", '{"$where": "1"}', "kick\x00", "kick \ud800", "🥁" * 500, "kick \ue000"],
)
async def test_a_prompt_is_data(person: Person, prompt: str) -> None:
    await person.stores(_heard(("kick", 0.9)))
    await search(person, prompt)
