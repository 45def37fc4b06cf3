"""The words that search works on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplemind.domain.analysis import Mode
from samplemind.domain.library import KeyName, words_of


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("808_Kick.wav",), ("808", "kick", "wav")),
        (("Snare-Roll (tight)",), ("snare", "roll", "tight")),
        (("kick.wav", "Kick", "dark pad"), ("kick", "wav", "dark", "pad")),
        (("STRASSE straße",), ("strasse",)),
        (("caf\u00e9",), ("caf\u00e9",)),
        (("鼓 01",), ("鼓", "01")),
        (("-- __ ..",), ()),
        ((), ()),
    ],
)
def test_words_are_distinct_and_case_folded_in_order(
    texts: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert words_of(*texts) == words


@given(st.lists(st.text()))
def test_words_of_words_are_the_same_words(texts: list[str]) -> None:
    words = words_of(*texts)
    assert words_of(*words) == words
    assert not any(set(word) & set(" _-.:") for word in words)


def test_a_key_name_reads_as_it_is_stored() -> None:
    assert str(KeyName("C#", Mode.MINOR)) == "C# minor"
