"""Suggested tags through the API: accepted, refused, and after another analysis."""

import asyncio
from typing import Any

import pytest

from samplemind.domain.ai import AiInsight, AiPart, AiProviderName, AiStatus
from samplemind.domain.analysis import Label, SampleKind
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from tests.asking import Person, id_of
from tests.domain.models import embedding, findings

_READ = "query ($id: ID!) { node(id: $id) { ... on AudioFile { tags suggestedTags { name } } } }"
_SEARCH = """query ($word: String!) {
  audioFiles(filter: {search: $word}) { edges { node { id } } }
}"""
_ALIKE = """query ($id: ID!, $tag: String!) {
  similarTo(target: {audioFileId: $id}, filter: {tags: [$tag]}) { edges { node { id } } }
}"""
_KICK = findings(
    kind=SampleKind.ONE_SHOT,
    tempo=None,
    labels=(Label("kick", 0.8), Label("punchy", 0.03)),
    embedding=embedding(1.0),
)


@pytest.fixture
def person(parts: Parts, owner_id: str) -> Person:
    return Person(parts, owner_id)


async def _change(person: Person, verb: str, id_: str, *tags: str) -> dict[str, Any]:
    answer = await person.ask(
        f"""mutation ($id: ID!, $tags: [String!]!) {{
            {verb}Tags(input: {{audioFileId: $id, tags: $tags}}) {{
                audioFile {{ tags suggestedTags {{ name }} }} errors {{ code field }}
            }}
        }}""",
        id=id_,
        tags=list(tags),
    )
    return answer[f"{verb}Tags"]


def _names(file: dict[str, Any]) -> list[str]:
    return [each["name"] for each in file["suggestedTags"]]


async def _read(person: Person, file: AudioFile) -> dict[str, Any]:
    return (await person.ask(_READ, id=id_of(file)))["node"]


async def test_an_accepted_one_is_a_tag_and_found_by_it(person: Person) -> None:
    file, other = await person.stores(_KICK), await person.stores(_KICK)
    assert _names(await _read(person, file)) == ["one-shot", "punchy", "kick"]
    answer = await _change(person, "accept", id_of(file), "punchy", "kick")
    assert answer["errors"] == []
    assert answer["audioFile"]["tags"] == ["punchy", "kick"]
    assert _names(answer["audioFile"]) == ["one-shot"]
    assert await _change(person, "accept", id_of(file), "punchy", "KICK") == answer
    found = (await person.ask(_SEARCH, word="punch"))["audioFiles"]["edges"]
    assert found == [{"node": {"id": id_of(file)}}]
    alike = (await person.ask(_ALIKE, id=id_of(other), tag="kick"))["similarTo"]["edges"]
    assert alike == [{"node": {"id": id_of(file)}}]


async def test_a_refused_one_does_not_come_back_after_another_analysis(person: Person) -> None:
    file = await person.stores(_KICK)
    for _ in range(2):
        answer = await _change(person, "refuse", id_of(file), "Kick", "one-shot")
        assert answer["errors"] == []
        assert answer["audioFile"] == {"tags": [], "suggestedTags": [{"name": "punchy"}]}
    await person.analyzes(file, _KICK)
    assert _names(await _read(person, file)) == ["punchy"]
    await person.ask(
        'mutation ($id: ID!) { updateAudioFile(input: {id: $id, filename: "a.wav"}) {'
        " errors { code } } }",
        id=id_of(file),
    )
    assert _names(await _read(person, file)) == ["punchy"]


async def test_who_thinks_better_of_it_may_accept_what_was_refused(person: Person) -> None:
    file = await person.stores(_KICK)
    await _change(person, "refuse", id_of(file), "kick")
    await _change(person, "accept", id_of(file), "kick")
    assert (await _read(person, file))["tags"] == ["kick"]
    # Taken away again, it is suggested again.
    await person.ask(
        "mutation ($id: ID!) { updateAudioFile(input: {id: $id, tags: []}) { errors { code } } }",
        id=id_of(file),
    )
    assert "kick" in _names(await _read(person, file))


async def test_two_at_once_lose_nothing(person: Person) -> None:
    file = await person.stores(_KICK)
    await asyncio.gather(
        *(_change(person, "accept", id_of(file), f"tag {n}") for n in range(5)),
        *(_change(person, "refuse", id_of(file), word) for word in ("kick", "punchy")),
    )
    found = await _read(person, file)
    assert {*found["tags"]} == {f"tag {n}" for n in range(5)}
    assert _names(found) == ["one-shot"]


async def test_words_of_an_ai_are_suggested_beside_those_of_the_analysis(person: Person) -> None:
    said = {"genre": ["Techno", "see https://example.org"], "mood": ["dark"], "mix_notes": ["cut"]}
    insight = AiInsight(AiProviderName.GEMINI, "some-model", "A kick.", said, (), (), ())
    file = await person.stores(_KICK, ai=AiPart(AiStatus.SUCCEEDED, insight=insight))
    query = (
        "query ($id: ID!) { node(id: $id) { ... on AudioFile { suggestedTags { name source } } } }"
    )
    found = (await person.ask(query, id=id_of(file)))["node"]["suggestedTags"]
    assert [each["name"] for each in found if each["source"] == "AI"] == ["dark", "techno"]
    assert [each["name"] for each in found if each["source"] == "ANALYSIS"] == [
        "one-shot",
        "punchy",
        "kick",
    ]


async def test_what_is_not_analysed_has_none_and_takes_tags(person: Person) -> None:
    file = await person.stores()
    assert _names(await _read(person, file)) == []
    answer = await _change(person, "accept", id_of(file), "mine")
    assert answer["audioFile"] == {"tags": ["mine"], "suggestedTags": []}


@pytest.mark.parametrize("verb", ["accept", "refuse"])
async def test_what_is_no_tag_is_refused_and_changes_nothing(person: Person, verb: str) -> None:
    file = await person.stores(_KICK)
    for tags in (["x" * 61], ["a\x00b"], [str(n) for n in range(51)]):
        answer = await _change(person, verb, id_of(file), *tags)
        assert answer["errors"] == [{"code": "BAD_USER_INPUT", "field": ["input", "tags"]}]
    assert (await _change(person, verb, id_of(file), " ", ""))["errors"] == []
    assert len(_names(await _read(person, file))) == 3


async def test_there_is_an_end_of_what_is_kept_of_a_file(person: Person) -> None:
    file = await person.stores(_KICK)
    for start in range(0, 200, 50):
        many = [str(n) for n in range(start, start + 50)]
        assert (await _change(person, "refuse", id_of(file), *many))["errors"] == []
    [error] = (await _change(person, "refuse", id_of(file), "one more"))["errors"]
    assert error["code"] == "BAD_USER_INPUT"
    many = [f"tag {n}" for n in range(50)]
    assert (await _change(person, "accept", id_of(file), *many))["errors"] == []
    [error] = (await _change(person, "accept", id_of(file), "one more"))["errors"]
    assert error["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("verb", ["accept", "refuse"])
async def test_another_s_file_is_not_found(parts: Parts, person: Person, verb: str) -> None:
    file = await person.stores(_KICK)
    answer = await _change(Person(parts, new_id()), verb, id_of(file), "stolen")
    assert answer["audioFile"] is None
    assert [error["code"] for error in answer["errors"]] == ["NOT_FOUND"]
    assert (await _read(person, file))["tags"] == []
