"""Whatever is null has a reason, and only that."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from samplemind.audio.analyze import analyze
from samplemind.domain.analysis import AbsenceCode, AnalysisLevel, Findings
from tests.audio.conftest import Analyze
from tests.audio.made_chunks import acid, with_chunk
from tests.sounds import RATE, drum_loop, kick, noise, note, silence, snare, tone, write

CODES = AbsenceCode
MAY_BE_NULL = {
    "tempo", "key", "timeSignature", "pitch", "loudness", "spectral", "beats", "downbeats",
    "onsets", "loop",
}  # fmt: skip


def why(found: Findings) -> dict[str, AbsenceCode]:
    reasons = {absence.field: absence.code for absence in found.absences}
    assert len(reasons) == len(found.absences)
    return reasons


def nulls(found: Findings) -> set[str]:
    missing = {f.name for f in dataclasses.fields(found) if getattr(found, f.name) is None}
    return {name.replace("time_signature", "timeSignature") for name in missing} & MAY_BE_NULL


@pytest.mark.parametrize("level", AnalysisLevel)
@pytest.mark.parametrize(
    "y",
    [kick(), note(220, 2), drum_loop(120, 1), drum_loop(120, 4), noise(30), silence(2), noise(4)],
    ids=["kick", "note", "one bar", "loop", "noise", "silence", "short noise"],
)
def test_each_null_has_one_reason(heard: Analyze, y: np.ndarray, level: AnalysisLevel) -> None:
    found = heard(y, level)
    assert set(why(found)) == nulls(found)
    assert all(absence.message for absence in found.absences)


def test_what_the_level_does_not_ask(heard: Analyze) -> None:
    basic = why(heard(drum_loop(120, 4), AnalysisLevel.BASIC))
    assert {field for field, code in basic.items() if code is CODES.BEYOND_LEVEL} == MAY_BE_NULL - {
        "tempo",
        "key",
    }
    standard = why(heard(drum_loop(120, 4), AnalysisLevel.STANDARD))
    assert set(standard) == set(basic) - {"loudness", "spectral"}


def test_a_drum(heard: Analyze) -> None:
    reasons = why(heard(snare()))
    assert reasons["key"] is CODES.NO_TONALITY
    assert reasons["pitch"] is CODES.NO_PITCH
    rhythm = ("tempo", "beats", "timeSignature", "downbeats", "loop")
    assert {reasons[field] for field in rhythm} == {CODES.ONE_SHOT}


def test_a_loop(heard: Analyze) -> None:
    assert why(heard(drum_loop(120, 4)))["pitch"] is CODES.MANY_NOTES
    reasons = why(heard(drum_loop(120, 2)[: 3 * RATE]))
    assert reasons["timeSignature"] is reasons["downbeats"] is CODES.TOO_SHORT
    assert not {"tempo", "beats", "loop"} & set(reasons)


def test_a_track_without_a_pulse(heard: Analyze) -> None:
    reasons = why(heard(tone(220, 30)))
    assert reasons["tempo"] is reasons["beats"] is reasons["timeSignature"] is CODES.NO_PULSE
    assert reasons["loop"] is CODES.TRACK_WITHOUT_LOOP


def test_silence(heard: Analyze) -> None:
    reasons = why(heard(silence(2)))
    assert {reasons[field] for field in ("tempo", "key", "pitch", "loop")} == {CODES.SILENT}


def test_a_pad_with_the_tempo_of_its_length(tmp_path: Path) -> None:
    seconds = 16 * 60 / 174
    t = np.arange(round(seconds * 44_100)) / 44_100
    chord = sum((np.sin(2 * np.pi * 220 * 2 ** (step / 12) * t) for step in (0, 3, 7)), 0 * t)
    path = write(tmp_path / "pad.wav", 0.2 * chord.astype(np.float32))
    # It is a loop because its file says so.
    with_chunk(path, b"acid", acid(16, 174.0))
    found = analyze(path, AnalysisLevel.DETAILED)
    assert found.tempo is not None
    assert why(found)["timeSignature"] is CODES.NO_PULSE
