"""The table "Odd sounds" of docs/analysis.md: each has the answer that is written there."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from samplemind.audio.analyze import LONGEST_SECONDS, describe, find, listen
from samplemind.audio.loudness import SILENT_LUFS
from samplemind.domain.analysis import AnalysisLevel, Findings, SampleKind
from tests.audio.conftest import Analyze
from tests.sounds import (
    MINOR_CADENCE,
    RATE,
    cadence,
    drum_loop,
    kick,
    noise,
    silence,
)

BPM = 120.0


def song() -> np.ndarray:
    """Drums over chords: it has a tempo and a key."""
    chords = cadence(9, MINOR_CADENCE, BPM)
    return 0.5 * chords + 0.4 * drum_loop(BPM, 4)[: len(chords)]


@pytest.fixture(scope="module")
def at_44(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    path = tmp_path_factory.mktemp("song") / "song.wav"
    soundfile.write(path, song(), RATE, subtype="FLOAT")
    return describe(path, AnalysisLevel.STANDARD)[1]


def assert_same_music(one: Findings, other: Findings) -> None:
    """The same kind, key, and tempo within 0.1 %."""
    assert one.kind is other.kind
    assert one.tempo is not None
    assert other.tempo is not None
    assert one.tempo.bpm == pytest.approx(other.tempo.bpm, rel=1e-3)
    assert one.key is not None
    assert other.key is not None
    assert (one.key.tonic, one.key.mode) == (other.key.tonic, other.key.mode)


def alike(one: Findings, other: Findings) -> float:
    return float(np.dot(one.embedding or (), other.embedding or ()))


def assert_nothing_but_loudness(found: Findings) -> None:
    assert found.tempo is found.key is found.pitch is found.time_signature is None
    assert found.beats is None
    assert found.labels == ()
    assert found.fingerprint is None


class TestLength:
    @pytest.mark.parametrize("samples", [1, 2, 220], ids=["1 sample", "2 samples", "5 ms"])
    def test_shorter_than_any_frame_is_a_one_shot(self, heard: Analyze, samples: int) -> None:
        found = heard(kick()[20 : 20 + samples])
        assert found.kind is SampleKind.ONE_SHOT
        assert found.tempo is found.key is found.pitch is found.beats is None
        assert np.linalg.norm(found.embedding or ()) == pytest.approx(1)
        assert found.loudness is not None
        assert found.loudness.range_lu is None

    def test_of_three_hours_the_first_is_analysed_and_all_is_measured(self, tmp_path: Path) -> None:
        rate, path = 8_000, tmp_path / "long.flac"
        quiet = np.zeros(600 * rate, np.int16)
        loud = np.round(8_000 * np.sin(np.arange(60 * rate) * 0.345)).astype(np.int16)
        with soundfile.SoundFile(path, "w", rate, 1, "PCM_16") as file:
            for _ in range(17):
                file.write(quiet)
            for _ in range(10):
                file.write(loud)
        heard = listen(path, with_loudness=True)
        assert heard.facts.duration_seconds == 3 * 3_600
        assert len(heard.features.y) <= LONGEST_SECONDS * 22_050
        found = find(heard.features, heard.loudness, AnalysisLevel.BASIC)
        assert found == Findings(kind=SampleKind.TRACK, absences=found.absences)
        assert heard.loudness is not None
        assert heard.loudness.integrated_lufs > -20


class TestSignal:
    @pytest.mark.parametrize(
        "y",
        [
            silence(2),
            np.full(2 * RATE, 0.5, np.float32),
            1e-6 * noise(2),
            np.full(2 * RATE, np.nan, np.float32),
        ],
        ids=["silence", "DC", "below 16 bits", "NaN"],
    )
    def test_nothing_that_sounds(self, heard: Analyze, y: np.ndarray) -> None:
        found = heard(y)
        assert_nothing_but_loudness(found)
        assert found.kind is SampleKind.ONE_SHOT
        assert found.onsets == ()
        assert found.loudness is not None
        if not y[0]:
            assert found.loudness.integrated_lufs == SILENT_LUFS

    def test_one_click_is_a_one_shot_without_notes(self, heard: Analyze) -> None:
        found = heard(np.eye(1, 2 * RATE, RATE // 2, dtype=np.float32)[0])
        assert found.kind is SampleKind.ONE_SHOT
        assert found.tempo is found.key is found.pitch is None
        assert found.loudness is not None
        assert found.loudness.true_peak_dbtp == pytest.approx(0, abs=0.1)

    def test_an_offset_is_taken_out(self, heard: Analyze, at_44: Findings) -> None:
        lifted = heard(song() + np.float32(0.2))
        assert_same_music(lifted, at_44)
        assert alike(lifted, at_44) > 0.98

    def test_clipped_by_12_db_it_keeps_tempo_and_key(self, heard: Analyze, at_44: Findings) -> None:
        clipped = heard(np.clip(4 * song(), -1, 1))
        assert_same_music(clipped, at_44)
        assert clipped.loudness is not None
        assert clipped.loudness.true_peak_dbtp >= 0

    def test_what_is_no_number_counts_as_zero(self, heard: Analyze) -> None:
        broken = song()
        broken[1_000:1_100] = 0
        plain = heard(broken)
        broken[1_000:1_100] = [np.nan, np.inf, -np.inf, np.nan] * 25
        assert heard(broken) == plain


class TestFormat:
    """The same sound, whatever it is stored as."""

    @pytest.mark.parametrize("rate", [8_000, 22_050, 32_000, 48_000, 96_000, 192_000])
    def test_any_sample_rate(self, heard: Analyze, at_44: Findings, rate: int) -> None:
        found = heard(soxr.resample(song(), RATE, rate), AnalysisLevel.STANDARD, rate)
        assert_same_music(found, at_44)
        assert found.tempo is not None
        assert found.tempo.bpm == pytest.approx(BPM, rel=1e-3)
        assert found.loudness is not None
        assert at_44.loudness is not None
        if rate >= RATE:
            # Below, what is above half the rate is lost, and with it some of the hats.
            lufs = at_44.loudness.integrated_lufs
            assert found.loudness.integrated_lufs == pytest.approx(lufs, abs=0.2)
            assert alike(found, at_44) > 0.98

    @pytest.mark.parametrize("channels", [2, 3, 4, 5, 6, 8])
    def test_any_number_of_channels(self, heard: Analyze, at_44: Findings, channels: int) -> None:
        found = heard(np.stack([song()] * channels, axis=1), AnalysisLevel.STANDARD)
        assert_same_music(found, at_44)
        assert alike(found, at_44) > 0.999
        # BS.1770 adds the power of the loudspeakers: surround weighs 1.41, the LFE nothing.
        weight = {5: 3 + 2 * 1.41, 6: 3 + 2 * 1.41}.get(channels, channels)
        assert found.loudness is not None
        assert at_44.loudness is not None
        louder = found.loudness.integrated_lufs - at_44.loudness.integrated_lufs
        assert louder == pytest.approx(10 * np.log10(weight), abs=0.05)

    def test_channels_that_cancel_each_other_out(self, heard: Analyze, at_44: Findings) -> None:
        found = heard(np.stack([song(), -song()], axis=1), AnalysisLevel.STANDARD)
        assert_same_music(found, at_44)
