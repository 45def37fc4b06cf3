"""Names that people give, made safe."""

import doctest
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samplemind.domain import naming
from samplemind.domain.errors import BadUserInput
from samplemind.domain.naming import clean_filename, clean_tags

_FIELD = ("input", "tags")


@given(st.text(max_size=300))
@example("a" * 199 + " " + "b" * 50)
@example("a" * 250 + "." + "b" * 10)
@example("a" * 250 + "." + "b" * 11)
@example("e\u200b\u0301.wav")
@example("\ufb2c" * 100 + ".wav")
@example(". \u3000.hidden")
@example("..\\..\\/")
@example("a" * 300 + ". ")
@example("nul." + "a" * 300)
@example("con." + "." * 200)
def test_a_clean_filename_is_safe_and_stays_as_it_is(name: str) -> None:
    clean = clean_filename(name)
    assert 0 < len(clean) <= 200
    assert not set(clean) & set("/\\")
    assert not any(unicodedata.category(char)[0] == "C" for char in clean)
    assert not any(char.isspace() and char != " " for char in clean)
    assert clean == clean.strip()
    assert not clean.startswith(".")
    assert clean == unicodedata.normalize("NFC", clean)
    assert clean_filename(clean) == clean


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("Kick 01.WAV", "Kick 01.WAV"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Samples\\kick.wav", "kick.wav"),
        ("kick\r\nSet-Cookie: a.wav", "kickSet-Cookie: a.wav"),
        ("kick\u202evaw.exe", "kickvaw.exe"),
        ("cafe\u0301.wav", "caf\u00e9.wav"),
        ("a" * 300 + ".flac", "a" * 195 + ".flac"),
        ("鼓.wav", "鼓.wav"),
        ("🥁.wav", "🥁.wav"),
        ("con.wav", "_con.wav"),
        ("NUL", "_NUL"),
        ("LPT1 .tar.wav", "_LPT1 .tar.wav"),
        ("conga.wav", "conga.wav"),
        ("...", "untitled"),
        ("", "untitled"),
        ("folder/", "untitled"),
    ],
)
def test_a_filename_keeps_what_a_person_reads(name: str, clean: str) -> None:
    assert clean_filename(name) == clean


@given(st.lists(st.text(max_size=80), max_size=60))
@example(["a\u200b"])
@example(["\u0085"])
@example(["e\u0301", "\u00e9"])
def test_clean_tags_are_safe_and_stay_as_they_are(tags: list[str]) -> None:
    try:
        clean = clean_tags(tags, _FIELD)
    except BadUserInput as error:
        assert error.field == _FIELD  # noqa: PT017
        stripped = {" ".join(tag.split()) for tag in tags}
        assert len(stripped) > 50 or any(
            len(tag) > 60 or any(unicodedata.category(char)[0] == "C" for char in tag)
            for tag in stripped
        )
        return
    assert len(clean) <= 50
    assert len(set(clean)) == len(clean)
    for tag in clean:
        assert 0 < len(tag) <= 60
        assert tag == tag.strip()
        assert not any(unicodedata.category(char)[0] == "C" for char in tag)
    assert clean_tags(clean, _FIELD) == clean


def test_tags_are_trimmed_and_distinct_in_their_order() -> None:
    given_tags = [" dark  pad ", "808", "", "dark pad", "\t"]
    assert clean_tags(given_tags, _FIELD) == ("dark pad", "808")


def test_50_tags_of_60_characters_are_the_most() -> None:
    most = [f"{number:060d}" for number in range(50)]
    assert clean_tags(most, _FIELD) == tuple(most)
    for refused in ([*most, "one more"], ["x" * 61]):
        with pytest.raises(BadUserInput):
            clean_tags(refused, _FIELD)


def test_the_documented_example_holds() -> None:
    assert doctest.testmod(naming).failed == 0
