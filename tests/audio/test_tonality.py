"""Key and pitch."""

import numpy as np
import pytest

from samplemind.audio.key_facts import key_fits
from samplemind.domain.analysis import TONICS, AnalysisLevel, Mode, MusicalKey, SampleKind
from tests.audio.conftest import Analyze
from tests.sounds import (
    MAJOR_CADENCE,
    MINOR_CADENCE,
    RATE,
    cadence,
    clicks,
    drum_loop,
    kick,
    noise,
    note,
    place,
    seconds,
    silence,
    snare,
    sub,
    tone,
)


def named(key: MusicalKey | None) -> tuple[str, Mode]:
    assert key is not None
    return key.tonic, key.mode


LEAVING = (0, 0, 5, 5, 3, 3, -2, -2)
"""Semitones over the root."""


def midi_hertz(note_number: float) -> float:
    return 440 * 2 ** ((note_number - 69) / 12)


def cymbal() -> np.ndarray:
    """Two seconds of a hundred partials anywhere between 300 Hz and 6 kHz."""
    source = np.random.default_rng(0)
    partials = (tone(hertz, 2, 0.01) for hertz in 300 * 20 ** source.random(100))
    return (sum(partials, np.zeros(1)) * np.exp(-seconds(2) / 0.5)).astype(np.float32)


class TestKey:
    @pytest.mark.parametrize("tonic", range(12))
    def test_major_cadences(self, heard: Analyze, tonic: int) -> None:
        key = heard(cadence(tonic, MAJOR_CADENCE), AnalysisLevel.BASIC).key
        assert named(key) == (TONICS[tonic], Mode.MAJOR)

    @pytest.mark.parametrize("tonic", range(0, 12, 2))
    def test_minor_cadences(self, heard: Analyze, tonic: int) -> None:
        key = heard(cadence(tonic, MINOR_CADENCE), AnalysisLevel.BASIC).key
        assert named(key) == (TONICS[tonic], Mode.MINOR)

    def test_tuning_off_concert_pitch(self, heard: Analyze) -> None:
        y = cadence(9, MINOR_CADENCE)
        for cents in (-35, 35):
            positions = np.arange(int(len(y) / 2 ** (cents / 1200)) - 1) * 2 ** (cents / 1200)
            shifted = np.interp(positions, np.arange(len(y)), y).astype(np.float32)
            assert named(heard(shifted, AnalysisLevel.BASIC).key) == ("A", Mode.MINOR)

    def test_tuning_between_two_keys(self, heard: Analyze) -> None:
        y = cadence(9, MINOR_CADENCE)
        positions = np.arange(int(len(y) / 2 ** (1 / 24)) - 1) * 2 ** (1 / 24)
        between = np.interp(positions, np.arange(len(y)), y).astype(np.float32)
        key = heard(between, AnalysisLevel.BASIC).key
        assert key is not None
        assert key.tonic in ("A", "A#")
        assert key.mode is Mode.MINOR

    @pytest.mark.parametrize("upper", [110, 164.8], ids=["one note", "a fifth"])
    def test_few_notes_name_their_root_without_certainty(
        self, heard: Analyze, upper: float
    ) -> None:
        y = place([(0, note(110, 2)), (0, note(upper, 2))], 2)
        key = heard(y, AnalysisLevel.BASIC).key
        assert key is not None
        assert key.tonic == "A"
        assert key.confidence < 0.9

    @pytest.mark.parametrize("tonic", range(0, 12, 3))
    def test_a_bass_line_is_named_by_its_root(self, heard: Analyze, tonic: int) -> None:
        steps = (0, 0, 12, 0, -2, 0, 3, 0) * 2
        y = place(
            [(i * 0.2, note(midi_hertz(30 + tonic + s), 0.2)) for i, s in enumerate(steps)], 3.2
        )
        key = heard(y, AnalysisLevel.BASIC).key
        assert key is not None
        assert key.tonic == TONICS[(30 + tonic) % 12]

    @pytest.mark.parametrize("tonic", range(1, 12, 3))
    def test_two_minor_chords_begin_with_their_key(self, heard: Analyze, tonic: int) -> None:
        chords = cadence(tonic, ((0, 3, 7, 10), (-4, 0, 3, 7)), bpm=170)
        assert named(heard(chords, AnalysisLevel.BASIC).key) == (TONICS[tonic], Mode.MINOR)

    @pytest.mark.parametrize("tonic", range(2, 12, 3))
    def test_a_bass_that_leaves_its_root_is_named_by_it(self, heard: Analyze, tonic: int) -> None:
        y = place(
            [(i * 0.35, note(midi_hertz(30 + tonic + s), 0.35)) for i, s in enumerate(LEAVING)], 2.8
        )
        key = heard(y, AnalysisLevel.BASIC).key
        assert key is not None
        assert key.tonic == TONICS[(30 + tonic) % 12]

    def test_a_short_plucked_bass_has_a_key_and_a_tom_has_none(self, heard: Analyze) -> None:
        saw = sum((tone(55 * n, 0.5, 0.3 / n) for n in range(1, 40)), np.zeros(1))
        plucked = (saw * np.exp(-seconds(0.5) / 0.1)).astype(np.float32)
        key = heard(plucked, AnalysisLevel.BASIC).key
        assert key is not None
        assert key.tonic == "A"
        tom = tone(110, 0.5) * np.exp(-seconds(0.5) / 0.1)
        assert heard(tom.astype(np.float32), AnalysisLevel.BASIC).key is None

    def test_drums_over_chords_do_not_hide_the_key(self, heard: Analyze) -> None:
        chords = cadence(2, MAJOR_CADENCE, bpm=120, repeats=2)
        drums = drum_loop(120, 4)
        mix = 0.6 * chords + 0.4 * drums[: len(chords)]
        assert named(heard(mix, AnalysisLevel.BASIC).key) == ("D", Mode.MAJOR)

    @pytest.mark.parametrize(
        "y",
        [noise(3), kick(), snare(), cymbal(), drum_loop(120, 2), silence(3), clicks(120, 4)],
        ids=["noise", "kick", "snare", "cymbal", "drum loop", "silence", "clicks"],
    )
    def test_no_tonality_no_key(self, heard: Analyze, y: np.ndarray) -> None:
        assert heard(y, AnalysisLevel.BASIC).key is None

    def test_profiles_turn_with_the_tonic(self) -> None:
        scale = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1.0])
        scale[0] = 2
        for tonic in range(12):
            assert np.argmax(key_fits(np.roll(scale, tonic))) == tonic


class TestPitch:
    @pytest.mark.parametrize(
        ("hertz", "written"),
        [(46.25, "F#1"), (110, "A2"), (261.63, "C4"), (440, "A4"), (1_046.5, "C6"), (2_093, "C7")],
    )
    def test_notes_and_sines(self, heard: Analyze, hertz: float, written: str) -> None:
        for y in (tone(hertz, 0.8), note(hertz, 0.8)):
            pitch = heard(y).pitch
            assert pitch is not None
            assert pitch.note == written
            assert pitch.hertz == pytest.approx(hertz, rel=0.003)
            assert pitch.midi == pytest.approx(69 + 12 * np.log2(hertz / 440), abs=0.05)
            assert pitch.confidence > 0.8

    def test_an_808(self, heard: Analyze) -> None:
        pitch = heard(sub(46.25)).pitch
        assert pitch is not None
        assert pitch.note == "F#1"

    @pytest.mark.parametrize("cents", [-40, -15, 25])
    def test_cents_beside_the_note(self, heard: Analyze, cents: int) -> None:
        pitch = heard(note(110 * 2 ** (cents / 1_200), 0.8)).pitch
        assert pitch is not None
        assert pitch.note == "A2"
        assert pitch.cents == pytest.approx(cents, abs=5)

    @pytest.mark.parametrize("octaves", [-1, 1])
    def test_a_glide_is_named_by_where_it_settles(self, heard: Analyze, octaves: int) -> None:
        t = seconds(1.2)
        hertz = 110 * 2 ** (octaves * np.exp(-t / 0.08))
        y = np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * np.exp(-t / 0.6)
        pitch = heard(y.astype(np.float32)).pitch
        assert pitch is not None
        assert pitch.note == "A2"

    def test_a_missing_fundamental_is_heard(self, heard: Analyze) -> None:
        pitch = heard(sum((tone(200 * n, 0.6, 0.2) for n in (2, 3, 4)), np.zeros(1))).pitch
        assert pitch is not None
        assert pitch.hertz == pytest.approx(200, rel=0.01)

    @pytest.mark.parametrize(
        "y", [noise(0.5), silence(0.5), snare()], ids=["noise", "silence", "snare"]
    )
    def test_no_fundamental_no_pitch(self, heard: Analyze, y: np.ndarray) -> None:
        assert heard(y).pitch is None

    def test_a_siren_has_no_one_pitch(self, heard: Analyze) -> None:
        t = seconds(2)
        y = (0.5 * np.sin(2 * np.pi * 200 * 2 ** (1.5 * t) / (1.5 * np.log(2)))).astype(np.float32)
        found = heard(y)
        assert found.kind is SampleKind.ONE_SHOT
        assert found.pitch is None

    def test_loops_have_no_pitch(self, heard: Analyze) -> None:
        bar = place([(i * 0.5, note(110, 0.4, 0.2)) for i in range(8)], 4)
        assert heard(bar).pitch is None
