"""What a model's answer is held to, without any model."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from samplemind.ai.fl_studio import PLUGINS, plugin
from samplemind.ai.insight import Insight
from samplemind.ai.schemas import wire_schema
from samplemind.ai.texts import is_smuggled, plain
from samplemind.domain.analysis import Mode, MusicalKey, Tempo
from tests.ai.answers import insight
from tests.domain.models import findings


def _read(text: str, *, again: bool = False) -> Insight:
    measured = findings(tempo=Tempo(174.0, 0.9, (116.0,)), key=MusicalKey("F#", Mode.MINOR, 0.8))
    context = {"findings": measured, "again": again}
    return Insight.model_validate_json(text, context=context)


@pytest.mark.parametrize(
    "text",
    [
        "See https://evil.example for more.",
        "See HTTPS://EVIL.EXAMPLE.",
        "Go to www.evil.example now.",
        "Go to evil.com.",
        "Go to ｅｖｉｌ．ｃｏｍ.",
        "[Click](/here)",
        "![](x)",
        "<img src=x>",
        "</script>",
        "&#60;b&#62; or &lt;b&gt;",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:me",
        "Write to me@evil.example.",
        "```sh",
        "{{ constructor }}",
    ],
)
def test_addresses_and_markup_are_seen(text: str) -> None:
    assert is_smuggled(plain(text))


@pytest.mark.parametrize(
    "text",
    [
        "Cut 3.5 dB at 300 Hz (Q 1.2), then boost +2 dB at 10 kHz.",
        "Peaks < -6 dBFS & RMS > -18 dB; R&B; 1/4 notes, 12 ms/beat.",
        "Use 3x Osc [detuned] with kick.wav: it fits drum & bass at 174 BPM.",
        "E.g. side-chain it. I.e. let it breathe.",
        "Read the data: it is at -14 LUFS.",
    ],
)
def test_what_producers_write_is_let_through(text: str) -> None:
    assert not is_smuggled(text)
    assert plain(text) == text


def test_what_cannot_be_seen_is_taken_out() -> None:
    assert plain("a\u202eb\u200bc\u2066d\ufeffe\U000e0041f\x00g\nh  i\u00adj") == "abcdefg h ij"


@pytest.mark.parametrize(
    ("summary", "problem"),
    [
        ("It runs at 93 BPM.", "93 BPM"),
        ("It runs at 140.5 beats per minute.", "140.5 BPM"),
        ("A loop in C major.", "C major"),
        ("A loop in F# major.", "F# major"),
        ("A loop in B♭ minor.", "Bb minor"),
    ],
)
def test_numbers_that_were_not_measured(summary: str, problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        _read(insight(summary=summary))
    assert _read(insight(summary=f"It is dry. {summary}"), again=True).summary == "It is dry."
    with pytest.raises(ValidationError, match="must not be empty"):
        _read(insight(summary=summary), again=True)


@pytest.mark.parametrize(
    "summary",
    [
        "At 174 BPM in F# minor.",
        "It feels like 87 BPM, or 116 BPM.",
        "In Gb minor.",
        "In F sharp minor, a minor detail.",
    ],
)
def test_numbers_that_were_measured(summary: str) -> None:
    assert _read(insight(summary=summary)).summary == summary


@pytest.mark.parametrize(
    "changed",
    [
        {"summary": "A" * 1_001},
        {"production_tips": ["A" * 401]},
        {"mood": ["dark"] * 13},
        {"production_tips": []},
        {"summary": "\u200b"},
        {"fl_studio": "Maximus"},
        {"fl_studio": [{"plugin": "Maximus"}]},
        {"genre": [1]},
    ],
)
def test_what_is_refused_also_the_second_time(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _read(insight(**changed), again=True)


def test_what_it_was_not_asked_for_is_left_out() -> None:
    read = _read(json.dumps(json.loads(insight()) | {"html": "<b>", "url": "https://x.com"}))
    assert set(read.model_dump()) == set(json.loads(insight()))


def test_what_is_kept_is_read_again() -> None:
    read = _read(insight(fl_studio=[]), again=True)
    assert _read(read.model_dump_json()) == read


@pytest.mark.parametrize("name", ["maximus", "FRUITY REEVERB 2", "Fruity-Reeverb 2", "3xosc"])
def test_plugins_are_known_however_they_are_written(name: str) -> None:
    assert plugin(name) in PLUGINS


@pytest.mark.parametrize("name", ["", "Serum", "Fruity Reverb 9", "Fruity", "Pro-Q 3"])
def test_other_plugins_are_not(name: str) -> None:
    assert plugin(name) is None


class _Inner(BaseModel):
    low: float | None = None


class _Outer(BaseModel):
    inner: _Inner
    several: list[_Inner]


def test_a_schema_is_in_the_words_of_strict_mode() -> None:
    number_or_null = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    inner = {
        "type": "object",
        "properties": {"low": number_or_null},
        "required": ["low"],
        "additionalProperties": False,
    }
    assert wire_schema(_Outer) == {
        "type": "object",
        "properties": {"inner": inner, "several": {"type": "array", "items": inner}},
        "required": ["inner", "several"],
        "additionalProperties": False,
    }
