"""Tempo, beats, onsets, metre and kind."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind.audio.analyze import analyze
from samplemind.audio.beats import beat_times
from samplemind.audio.features import Features
from samplemind.audio.metre import time_signature
from samplemind.audio.tempo import tempo
from samplemind.domain.analysis import AnalysisLevel, SampleKind, Tempo
from tests.audio.conftest import Analyze, features_of
from tests.sounds import (
    RATE,
    clicks,
    drum_loop,
    hat,
    kick,
    noise,
    note,
    place,
    silence,
    snare,
    sub,
    tone,
)

SONIC_PI = Path("/usr/share/sonic-pi/samples")
# Beats a minute follow from the lengths: these loops are cut to whole bars.
LOOPS = {
    "loop_amen.flac": (136.9, 1),
    "loop_breakbeat.flac": (126.0, 1),
    "loop_mehackit2.flac": (97.0, 1),
    "loop_compus.flac": (148.0, 4),
}


def tempo_of(tempo: Tempo | None) -> float:
    assert tempo is not None
    return tempo.bpm


class TestTempo:
    @pytest.mark.parametrize("bpm", [84, 97, 120, 128, 140, 174])
    def test_a_drum_loop_has_the_tempo_of_its_length(self, heard: Analyze, bpm: float) -> None:
        found = heard(drum_loop(bpm, 2))
        assert found.kind is SampleKind.LOOP
        # The octave is a matter of taste; the pulse is not.
        ratio = tempo_of(found.tempo) / bpm
        assert min(abs(ratio - 1), abs(ratio - 0.5), abs(ratio - 2)) < 1e-3

    def test_silence_after_a_loop_does_not_count(self, heard: Analyze) -> None:
        loop = drum_loop(137, 2)
        # Something rings until the cut, as in a loop that is bounced with its tail cut off.
        loop = loop + np.float32(0.3) * tone(110, len(loop) / RATE)[: len(loop)]
        found = heard(np.concatenate([loop, silence(0.31)]), AnalysisLevel.BASIC)
        ratio = tempo_of(found.tempo) / 137
        assert min(abs(ratio - 1), abs(ratio - 0.5), abs(ratio - 2)) < 1e-3

    @pytest.mark.parametrize("bpm", [90.0, 111.1, 123.4])
    def test_a_longer_sound_has_the_tempo_of_its_onsets(self, heard: Analyze, bpm: float) -> None:
        found = heard(clicks(bpm, 40))
        assert found.kind is SampleKind.TRACK
        assert tempo_of(found.tempo) == pytest.approx(bpm, rel=2e-3)

    def test_common_tempos_keep_their_octave(self, heard: Analyze) -> None:
        bpms = (90, 100, 110, 120, 126, 132)
        found = [tempo_of(heard(drum_loop(bpm, 4), AnalysisLevel.BASIC).tempo) for bpm in bpms]
        assert found == pytest.approx(bpms, rel=1e-3)

    def test_real_loops_or_their_like(self, heard: Analyze) -> None:
        for name, (bpm, bars) in LOOPS.items():
            path = SONIC_PI / name
            found = (
                analyze(path, AnalysisLevel.BASIC) if path.exists() else heard(drum_loop(bpm, bars))
            )
            ratio = tempo_of(found.tempo) / bpm
            assert min(abs(ratio - 1), abs(ratio - 0.5), abs(ratio - 2)) < 2e-3, name

    @pytest.mark.parametrize("bpm", [165.0, 172.5, 174.0, 178.0])
    def test_drum_and_bass_is_not_halved(self, heard: Analyze, bpm: float) -> None:
        beat = 60 / bpm
        hits = [(bar * 4 + at, kick()) for bar in range(4) for at in (0, 2.5)]
        hits += [(bar * 4 + at, snare()) for bar in range(4) for at in (1, 3)]
        hits += [(eighth / 2, 0.4 * hat()) for eighth in range(32)]
        loop = place([(at * beat, drum) for at, drum in hits], 16 * beat)
        assert tempo_of(heard(loop, AnalysisLevel.BASIC).tempo) == pytest.approx(bpm, abs=0.1)

    def test_alternatives_name_the_half_or_the_double(self, heard: Analyze) -> None:
        tempo = heard(clicks(80, 40)).tempo
        assert tempo is not None
        ratios = np.array(tempo.alternatives) / tempo.bpm
        assert np.any(np.isclose(ratios, 2, rtol=0.02) | np.isclose(ratios, 0.5, rtol=0.02))
        assert 0 < tempo.confidence <= 1

    @pytest.mark.parametrize(
        "y",
        [noise(4), tone(220, 4), silence(4), kick(), note(220, 3)],
        ids=["noise", "tone", "silence", "kick", "note"],
    )
    def test_no_pulse_no_tempo(self, heard: Analyze, y: np.ndarray) -> None:
        found = heard(y)
        assert found.tempo is None
        assert found.beats is None
        assert found.time_signature is None

    @pytest.mark.parametrize("name", ["noise", "tone", "hits at random"])
    def test_no_pulse_no_tempo_however_long(self, heard: Analyze, name: str) -> None:
        times = np.cumsum(np.random.default_rng(3).exponential(0.7, 45))
        hits = place([(t, snare()) for t in times[times < 29.5]], 30)
        y = {"noise": noise(30), "tone": tone(220, 30), "hits at random": hits}[name]
        found = heard(y, AnalysisLevel.BASIC)
        assert found.kind is SampleKind.TRACK
        assert found.tempo is None

    def test_chords_that_melt_into_each_other_have_a_tempo(self, heard: Analyze) -> None:
        # As an organ or a choir plays them: nothing is struck, and nothing becomes louder.
        bpm, fade = 76, 0.3
        beat = 60 / bpm
        hits: list[tuple[float, np.ndarray]] = []
        walk = np.random.default_rng(0)
        for i in range(40):
            length = beat + fade
            times = np.arange(round(length * RATE)) / RATE
            level = np.sqrt(np.clip(np.minimum(times, length - times) / fade, 0, 1))
            for low in (45, 54, 61, 69):
                hertz = 440 * 2 ** ((low + walk.integers(0, 8) - 69) / 12)
                voice = sum(np.sin(2 * np.pi * k * hertz * times) / k**2 for k in range(1, 6))
                hits.append((i * beat, (0.1 * level * voice).astype(np.float32)))
        found = heard(place(hits, 40 * beat), AnalysisLevel.BASIC)
        assert tempo_of(found.tempo) == pytest.approx(bpm, rel=0.01)

    def test_gain_and_offset_change_nothing(self, heard: Analyze) -> None:
        y = drum_loop(132, 2)
        reference = heard(y)
        for other in (y * 0.01, y * 0.3 + 0.4):
            found = heard(other)
            assert found.tempo is not None
            assert reference.tempo is not None
            assert found.tempo.bpm == reference.tempo.bpm
            assert found.kind is reference.kind


class TestBeats:
    def test_beats_fall_on_the_clicks(self, heard: Analyze) -> None:
        beats = np.array(heard(clicks(100, 30)).beats)
        distance = np.abs(beats / 0.6 - np.round(beats / 0.6)) * 0.6
        assert np.median(distance) < 0.02
        assert np.diff(beats) == pytest.approx(0.6, abs=0.06)
        assert len(beats) == pytest.approx(50, abs=2)

    def test_beats_follow_a_tempo_that_drifts(self, heard: Analyze) -> None:
        times = np.cumsum(np.linspace(0.52, 0.48, 70))
        click = note(1_500, 0.05, 0.02)
        beats = np.array(heard(place([(t, click) for t in times], times[-1] + 0.4)).beats)
        nearest = np.abs(beats[:, None] - times).min(axis=1)
        assert np.mean(nearest < 0.04) > 0.9

    def test_no_beat_lies_before_the_sound(self) -> None:
        for frames in (1, 5, 40, 200):
            beats = beat_times(np.linspace(1, 0, frames, dtype=np.float32), 60)
            assert (beats >= 0).all()
            assert (np.diff(beats) > 0).all()

    def test_onsets_are_the_hits_and_nothing_else(self, heard: Analyze) -> None:
        times = np.array([0.2, 0.7, 0.95, 1.6, 2.3, 2.45, 3.1])
        hits = [kick(), snare(), hat(), kick(), snare(), hat(), kick()]
        onsets = np.array(heard(place(list(zip(times, hits, strict=True)), 4)).onsets)
        assert len(onsets) == len(times)
        assert np.abs(onsets - times).max() < 0.03

    def test_a_sound_that_starts_at_once_has_an_onset_at_zero(self, heard: Analyze) -> None:
        onsets = heard(kick()).onsets
        assert onsets is not None
        assert len(onsets) == 1
        assert onsets[0] < 0.03

    def test_the_end_of_a_sound_is_no_onset(self, heard: Analyze) -> None:
        onsets = heard(tone(220, 3)).onsets
        assert onsets is not None
        assert len(onsets) == 1


class TestMetre:
    def test_four_four(self, heard: Analyze) -> None:
        metre = heard(np.tile(drum_loop(120, 2), 8)).time_signature
        assert metre is not None
        assert (metre.numerator, metre.denominator) == (4, 4)
        assert 0 < metre.confidence <= 1

    def test_three_four(self, heard: Analyze) -> None:
        beat = 0.5
        bar = [(0, kick()), (beat, 0.4 * snare()), (2 * beat, 0.4 * snare())]
        hits = [(3 * beat * i + at, hit) for i in range(24) for at, hit in bar]
        metre = heard(place(hits, 24 * 3 * beat)).time_signature
        assert metre is not None
        assert metre.numerator in (3, 6)

    @pytest.mark.parametrize(("parts", "metre"), [(3, (6, 8)), (2, (4, 4))], ids=["jig", "reel"])
    def test_faint_quick_notes_tell_a_jig_from_a_reel(
        self, heard: Analyze, parts: int, metre: tuple[int, int]
    ) -> None:
        beat, beats = 0.52, 56
        scale = np.array([0, 2, 4, 5, 7, 9, 11, 12])
        walk = np.random.default_rng(0).integers(0, 8, 8 * parts)
        hits = [(i * beat, note(98 if i % 2 else 65, 0.4, 0.3)) for i in range(beats)]
        # The tune repeats itself every eight beats, 30 dB below its bass.
        for i in range(parts * beats):
            hertz = float(440 * 2 ** (scale[walk[i % len(walk)]] / 12))
            hits.append((i * beat / parts, 0.03 * note(hertz, 0.2, 0.15)))
        found = heard(place(hits, beats * beat + 0.5)).time_signature
        assert found is not None
        assert (found.numerator, found.denominator) == metre

    def test_too_few_beats_have_no_metre(self, heard: Analyze) -> None:
        found = heard(drum_loop(120, 2)[: 3 * RATE])
        assert found.tempo is not None
        assert found.time_signature is None

    def test_a_loop_of_four_beats_is_a_bar(self, heard: Analyze) -> None:
        metre = heard(drum_loop(120, 1)).time_signature
        assert metre is not None
        assert (metre.numerator, metre.denominator, metre.confidence) == (4, 4, 0.8)

    def test_a_metre_whose_bars_do_not_fill_the_loop_counts_less(self) -> None:
        features = features_of(drum_loop(120, 4))
        heard = time_signature(features.onsets, 120, features.seconds)
        fitting = time_signature(features.onsets, 120, features.seconds, loop_lengths=(8.0,))
        odd = time_signature(features.onsets, 120, features.seconds, loop_lengths=(7.5,))
        assert heard is not None
        assert fitting is not None
        assert odd is not None
        assert fitting.numerator == 4
        assert fitting.confidence > heard.confidence
        # Fifteen beats are no bars of four.
        assert odd.numerator != 4 or odd.confidence < heard.confidence


class TestKind:
    @pytest.mark.parametrize(
        "y",
        [kick(), snare(), hat(), sub(), note(220, 2), tone(220, 3), noise(0.2), kick()[:300]],
        ids=["kick", "snare", "hat", "808", "note", "tone", "burst", "7 ms"],
    )
    def test_one_shots(self, heard: Analyze, y: np.ndarray) -> None:
        assert heard(y, AnalysisLevel.BASIC).kind is SampleKind.ONE_SHOT

    def test_a_roll_is_too_short_for_a_loop(self, heard: Analyze) -> None:
        y = place([(i * 0.07, snare()) for i in range(8)], 0.56)
        assert heard(y, AnalysisLevel.BASIC).kind is SampleKind.ONE_SHOT

    def test_a_long_tail_is_still_a_one_shot(self, heard: Analyze) -> None:
        y = np.concatenate([snare(), silence(5)])
        assert heard(y, AnalysisLevel.BASIC).kind is SampleKind.ONE_SHOT

    @pytest.mark.parametrize("bars", [1, 2, 4])
    def test_loops(self, heard: Analyze, bars: int) -> None:
        assert heard(drum_loop(110, bars), AnalysisLevel.BASIC).kind is SampleKind.LOOP

    def test_tracks(self, heard: Analyze) -> None:
        assert heard(clicks(120, 60), AnalysisLevel.BASIC).kind is SampleKind.TRACK

    @pytest.mark.parametrize(
        ("duration", "kind"), [(2, SampleKind.ONE_SHOT), (60, SampleKind.TRACK)]
    )
    def test_silence_by_its_length(self, heard: Analyze, duration: float, kind: SampleKind) -> None:
        assert heard(silence(duration), AnalysisLevel.BASIC).kind is kind

    def test_packaged_one_shots(self) -> None:
        paths = sorted(SONIC_PI.glob("bd_*.flac")) + sorted(SONIC_PI.glob("sn_*.flac"))
        short = [p for p in paths if soundfile.info(p).duration < 2]
        kinds = [analyze(path, AnalysisLevel.BASIC).kind for path in short]
        assert kinds == [SampleKind.ONE_SHOT] * len(short)


class TestLength:
    """A pad has no pulse, and was cut to fit one."""

    @staticmethod
    def pad(seconds: float) -> Features:
        t = np.arange(round(seconds * RATE)) / RATE
        chord = sum(np.sin(2 * np.pi * 220 * 2 ** (note / 12) * t) for note in (0, 3, 7))
        return features_of(chord * (1 + 0.2 * np.sin(2 * np.pi * t / seconds)))

    def test_a_round_tempo_is_told_by_the_length_alone(self) -> None:
        features = self.pad(16 * 60 / 174)
        found = tempo(features.onsets, (features.seconds,))
        assert found is not None
        assert found.bpm == pytest.approx(174, abs=0.05)
        assert found.confidence == pytest.approx(0.5)
        assert 87 in found.alternatives
        assert tempo(features.onsets, ()) is None
        assert time_signature(features.onsets, found.bpm, features.seconds) is None

    @pytest.mark.parametrize("seconds", [4.0, 5.5, 5.43])
    def test_other_lengths_tell_nothing(self, seconds: float) -> None:
        features = self.pad(seconds)
        assert tempo(features.onsets, (features.seconds,)) is None
