"""Keys in DJ notation, and which level answers which."""

import pytest

from samplemind.domain.analysis import TONICS, AnalysisLevel, AnalysisStatus, Mode, MusicalKey

# The wheel as Mixed In Key prints it, clockwise from 1; sharps, as this API names tonics.
_CAMELOT_MINOR = ("G#", "D#", "A#", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_CAMELOT_MAJOR = ("B", "F#", "C#", "G#", "D#", "A#", "F", "C", "G", "D", "A", "E")
# Open Key, as Beatport and Traktor print it, from 1.
_OPEN_KEY_MINOR = ("A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F", "C", "G", "D")
_OPEN_KEY_MAJOR = ("C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F")


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("tonic", TONICS)
def test_every_key_has_its_place_on_both_wheels(tonic: str, mode: Mode) -> None:
    minor = mode is Mode.MINOR
    camelot = (_CAMELOT_MINOR if minor else _CAMELOT_MAJOR).index(tonic) + 1
    open_key = (_OPEN_KEY_MINOR if minor else _OPEN_KEY_MAJOR).index(tonic) + 1
    key = MusicalKey(tonic, mode, 1.0)
    assert key.camelot == f"{camelot}{'A' if minor else 'B'}"
    assert key.open_key == f"{open_key}{'m' if minor else 'd'}"


def test_a_level_includes_itself_and_those_before() -> None:
    order = ["BASIC", "STANDARD", "DETAILED", "PROFESSIONAL"]
    for place, level in enumerate(order):
        included = [other for other in order if AnalysisLevel(level).includes(AnalysisLevel(other))]
        assert included == order[: place + 1]


def test_what_is_queued_or_running_is_not_final() -> None:
    final = {status.value for status in AnalysisStatus if status.is_final}
    assert final == {"SUCCEEDED", "FAILED", "CANCELLED"}
