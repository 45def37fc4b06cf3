"""The whole analysis: what each level answers, and that nothing breaks it."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.fft import dct

from samplemind.audio import EMBEDDING_DIMENSIONS
from samplemind.audio.analyze import analyze, mix_down, warm_up
from samplemind.audio.spectrum import mel_filters
from samplemind.domain.analysis import AnalysisLevel, Findings, SampleKind
from samplemind.domain.errors import NotAudio
from tests.audio.conftest import Analyze, features_of
from tests.sounds import (
    MAJOR_CADENCE,
    RATE,
    cadence,
    drum_loop,
    hat,
    kick,
    noise,
    note,
    silence,
    snare,
    stereo,
    tone,
    write,
)

HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")


def numbers(value: object) -> Iterator[float]:
    """All numbers in a nest of dataclasses and tuples."""
    if is_dataclass(value):
        for field in fields(value):
            yield from numbers(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float) or type(value).__module__ == "numpy":
        yield value  # pyright: ignore[reportReturnType]


def assert_sane(found: Findings, seconds: float) -> None:
    assert {type(n) for n in numbers(found)} <= {float, int}
    assert all(np.isfinite(n) for n in numbers(found))
    assert found.kind is not None
    assert found.embedding is not None
    assert len(found.embedding) == EMBEDDING_DIMENSIONS
    assert np.linalg.norm(found.embedding) == pytest.approx(1, abs=1e-5)
    for times in (found.beats or (), found.onsets or ()):
        assert list(times) == sorted(set(times))
        assert all(0 <= t <= seconds + 0.05 for t in times)
    scores = [label.score for label in found.labels]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)
    spectral = found.spectral
    assert spectral is not None
    assert (len(spectral.contrast_db), len(spectral.mfcc), len(spectral.chroma)) == (7, 20, 12)
    assert 0 <= spectral.flatness <= 1
    assert 0 <= spectral.zero_crossing_rate <= 1
    assert all(0 <= c <= 1 for c in spectral.chroma)


class TestLevels:
    def test_each_level_answers_what_it_asks_and_no_more(self, heard: Analyze) -> None:
        y = stereo(cadence(0, MAJOR_CADENCE))
        basic, standard, detailed, professional = (heard(y, level) for level in AnalysisLevel)
        assert basic.kind is not None
        assert basic.key is not None
        only = Findings(basic.kind, basic.tempo, basic.key, absences=basic.absences)
        assert basic == only
        assert standard.loudness is not None
        assert standard.spectral is not None
        assert standard.labels
        assert standard.embedding is not None
        assert standard.beats is standard.onsets is standard.pitch is None
        assert (standard.kind, standard.tempo, standard.key) == (basic.kind, basic.tempo, basic.key)
        assert detailed.onsets is not None
        assert detailed == professional

    def test_a_pitch_is_for_one_shots(self, heard: Analyze) -> None:
        found = heard(note(220, 1))
        assert found.kind is SampleKind.ONE_SHOT
        assert found.pitch is not None
        assert found.tempo is found.beats is found.time_signature is None

    def test_silence(self, heard: Analyze) -> None:
        found = heard(stereo(silence(2)))
        assert_sane(found, 2)
        assert found.tempo is found.key is found.pitch is found.time_signature is None
        assert found.labels == ()
        assert found.onsets == ()
        assert found.loudness is not None
        assert found.loudness.integrated_lufs == -70

    def test_a_file_that_is_no_sound(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.write_bytes(b"nothing")
        with pytest.raises(NotAudio):
            analyze(path, AnalysisLevel.BASIC)


class TestRobustness:
    @pytest.mark.parametrize("rate", [8_000, 11_025, 32_000, 48_000, 96_000, 192_000])
    def test_any_sample_rate(self, heard: Analyze, rate: int) -> None:
        t = np.arange(rate) / rate
        y = (0.5 * np.sin(2 * np.pi * 440 * t) * np.exp(-3 * t)).astype(np.float32)
        found = heard(y, rate=rate)
        assert_sane(found, 1)
        assert found.pitch is not None
        assert found.pitch.note == "A4"

    @pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6, 8])
    def test_any_number_of_channels(self, heard: Analyze, channels: int) -> None:
        y = np.stack([note(220, 0.5)] * channels, axis=1)
        found = heard(y)
        assert_sane(found, 0.5)
        assert found.pitch is not None
        assert found.pitch.note == "A3"

    @pytest.mark.parametrize(
        "y",
        [
            kick()[:1],
            kick()[:2],
            kick()[:220],
            np.full(RATE, 0.5, np.float32),
            np.sign(tone(100, 1)),
            np.eye(1, RATE, 500, dtype=np.float32)[0],
            np.where(np.arange(RATE) % 7 == 0, np.nan, tone(300, 1)),
            np.tile(np.array([1, -1], np.float32), RATE // 2),
            1e-4 * noise(1),
            1e4 * noise(1),
        ],
        ids=["1 sample", "2", "5 ms", "DC", "square", "click", "NaN", "Nyquist", "faint", "huge"],
    )
    def test_extreme_signals(self, heard: Analyze, y: np.ndarray) -> None:
        assert_sane(heard(y.astype(np.float32)), len(y) / RATE)

    def test_less_than_a_sample(self, heard: Analyze) -> None:
        assert_sane(heard(np.ones(1, np.float32), rate=192_000), 1)

    def test_constant_offset_is_silence(self, heard: Analyze) -> None:
        found = heard(np.full(RATE, 0.5, np.float32))
        assert found.labels == ()
        assert found.pitch is None

    def test_sides_in_opposite_phase_are_heard(self, heard: Analyze) -> None:
        y = note(220, 1)
        found = heard(np.stack([y, -y], axis=1))
        assert found.pitch is not None
        assert found.pitch.note == "A3"
        assert mix_down(np.stack([y, 0.5 * y])) == pytest.approx(0.75 * y, abs=1e-6)

    def test_a_file_cut_short(self, tmp_path: Path) -> None:
        path = write(tmp_path / "cut.flac", drum_loop(120, 4), "flac")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        found = analyze(path, AnalysisLevel.DETAILED)
        assert_sane(found, 8)
        assert found.onsets is not None
        assert max(found.onsets) < 5

    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        size=st.integers(1, 30_000),
        seed=st.integers(0, 2**32 - 1),
        channels=st.integers(1, 3),
        rate=st.sampled_from([8_000, 44_100, 48_000]),
        smooth=st.integers(1, 400),
        gain=st.floats(1e-6, 10),
    )
    def test_random_short_sounds(
        self,
        heard: Analyze,
        size: int,
        seed: int,
        channels: int,
        rate: int,
        smooth: int,
        gain: float,
    ) -> None:
        source = np.random.default_rng(seed).normal(0, gain, (size, channels))
        y = np.stack([np.convolve(c, np.ones(smooth) / smooth)[:size] for c in source.T], axis=1)
        assert_sane(heard(y.astype(np.float32), rate=rate), size / rate)

    @settings(
        max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(gain=st.floats(0.003, 1))
    def test_gain_changes_the_loudness_alone(self, heard: Analyze, gain: float) -> None:
        y = cadence(4, MAJOR_CADENCE, repeats=1)
        loud, soft = heard(y), heard(gain * y)
        assert (soft.kind, soft.beats) == (loud.kind, loud.beats)
        assert soft.key is not None
        assert loud.key is not None
        assert (soft.key.tonic, soft.key.mode) == (loud.key.tonic, loud.key.mode)
        assert np.dot(soft.embedding or (), loud.embedding or ()) > 0.999
        assert loud.loudness is not None
        assert soft.loudness is not None
        lower = loud.loudness.integrated_lufs + 20 * np.log10(gain)
        assert soft.loudness.integrated_lufs == pytest.approx(lower, abs=0.2)


class TestSpectrum:
    def test_the_moments_of_a_sine(self, heard: Analyze) -> None:
        spectral = heard(tone(2_000, 1)).spectral
        assert spectral is not None
        assert spectral.centroid_hz == pytest.approx(2_000, rel=0.05)
        assert spectral.rolloff_hz == pytest.approx(2_000, rel=0.02)
        assert spectral.zero_crossing_rate == pytest.approx(2 * 2_000 / 22_050, rel=0.01)
        assert spectral.flatness < 0.01
        assert np.argmax(spectral.chroma) == 11

    def test_noise_is_flat(self, heard: Analyze) -> None:
        spectral = heard(noise(1)).spectral
        assert spectral is not None
        assert spectral.flatness > 0.4
        assert spectral.centroid_hz == pytest.approx(5_500, rel=0.1)

    def test_chroma_shows_the_notes(self, heard: Analyze) -> None:
        chord = sum((note(hertz, 2) for hertz in (261.63, 329.63, 392.0)), np.zeros(1))
        spectral = heard(0.5 * chord).spectral
        assert spectral is not None
        assert set(np.argsort(spectral.chroma)[-3:]) == {0, 4, 7}
        assert max(spectral.chroma) == pytest.approx(1)

    def testmel_filters_are_librosas(self) -> None:
        reference = librosa.filters.mel(sr=22_050, n_fft=2_048, n_mels=128, fmin=20)
        np.testing.assert_allclose(mel_filters(2_048, 128).T, reference, atol=1e-6)

    def test_mfcc_are_the_cosine_transform_of_the_log_spectrum(self) -> None:
        timbre = features_of(note(220, 0.5)).timbre
        reference = np.asarray(dct(timbre.log_mel, axis=1, norm="ortho"))[:, :20]
        np.testing.assert_allclose(timbre.mfcc, reference, rtol=1e-4, atol=1e-2)


class TestLabels:
    @pytest.mark.parametrize(
        ("y", "name"),
        [(kick(), "kick"), (snare(), "snare"), (hat(), "closed hat")],
        ids=["kick", "snare", "hat"],
    )
    def test_synthetic_one_shots(self, heard: Analyze, y: np.ndarray, name: str) -> None:
        assert name in [label.name for label in heard(y, AnalysisLevel.STANDARD).labels]

    def test_loops(self, heard: Analyze) -> None:
        def best(y: np.ndarray) -> str:
            return heard(y, AnalysisLevel.STANDARD).labels[0].name

        assert best(drum_loop(120, 2)) == "drum loop"
        assert best(cadence(0, MAJOR_CADENCE)) == "melodic loop"


class TestEmbedding:
    def test_like_sounds_are_near(self, heard: Analyze, tmp_path: Path) -> None:
        groups = {
            "kick": [kick(), kick(0.5), 0.5 * kick(0.35)],
            "snare": [snare(), snare(0.4), 0.3 * snare(0.25)],
            "note": [note(220, 1), note(247, 1), note(196, 1.2)],
            "noise": [noise(1, seed=s) for s in (1, 2, 3)],
        }
        if HYDROGEN.exists():
            kit = HYDROGEN / "The Black Pearl 1.0"
            groups = {
                name: [
                    analyzed for path in sorted(kit.glob(f"{name}*.wav"))[:3] if (analyzed := path)
                ]
                for name in ("PearlKick-", "SabianHatSemiOpen", "SabianRide", "PearlSnare")
            }
        names, vectors = [], []
        for name, members in groups.items():
            for member in members:
                found = (
                    analyze(member, AnalysisLevel.STANDARD)
                    if isinstance(member, Path)
                    else heard(member, AnalysisLevel.STANDARD)
                )
                names.append(name)
                vectors.append(found.embedding)
        cosine = np.array(vectors) @ np.array(vectors).T
        np.fill_diagonal(cosine, -1)
        nearest = [names[i] for i in np.argmax(cosine, axis=1)]
        assert np.mean([a == b for a, b in zip(names, nearest, strict=True)]) > 0.9

    def test_the_same_sound_in_another_container(self, tmp_path: Path) -> None:
        y = stereo(drum_loop(100, 1))
        vectors = [
            analyze(write(tmp_path / f"x.{c}", y, c), AnalysisLevel.STANDARD).embedding
            for c in ("wav24", "flac", "mp3", "m4a")
        ]
        reference = np.array(vectors[0])
        assert float(np.dot(reference, vectors[1] or ())) > 0.999
        assert all(float(np.dot(reference, v or ())) > 0.9 for v in vectors[2:])


class TestCost:
    def test_importing_the_package_loads_no_signal_processing(self) -> None:
        code = "import samplemind.audio, sys; print('numpy' in sys.modules)"
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert out.stdout.strip() == "False"

    def test_nothing_that_compiles_is_imported(self) -> None:
        code = (
            "import sys; from samplemind.audio.analyze import warm_up; warm_up();"
            "print([m for m in ('numba', 'librosa', 'sklearn', 'matplotlib') if m in sys.modules])"
        )
        out = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert out.stdout.strip() == "[]"

    def test_warm_up_runs_twice(self) -> None:
        warm_up()
        warm_up()
