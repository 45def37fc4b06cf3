"""Loudness against the standard's own figures, and against pyloudnorm."""

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly, sosfilt

from samplemind.audio.block_filter import BlockFilter
from samplemind.audio.loudness import (
    SILENT_DBTP,
    SILENT_LUFS,
    LoudnessMeter,
    k_weighting,
)
from samplemind.domain.analysis import Loudness
from tests.sounds import RATE, cadence, drum_loop, noise, silence, tone

BS1770_AT_48_KHZ = [
    [1.53512485958697, -2.69169618940638, 1.19839281085285, 1, -1.69065929318241, 0.73248077421585],
    [1.0, -2.0, 1.0, 1, -1.99004745483398, 0.99007225036621],
]


def measured(y: np.ndarray, rate: int = RATE, block: int = 4_001) -> Loudness:
    """`y: (channels, n)`, pushed in uneven blocks."""
    meter = LoudnessMeter(rate, len(y))
    for start in range(0, y.shape[1], block):
        meter.push(y[:, start : start + block].astype(np.float32))
    return meter.result()


def test_the_coefficients_are_the_standards() -> None:
    np.testing.assert_allclose(k_weighting(48_000), BS1770_AT_48_KHZ, atol=1e-6)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
@pytest.mark.parametrize("block", [63, 4_001, 100_000])
def test_the_filter_in_blocks_is_the_recursion(rate: int, block: int) -> None:
    sections = k_weighting(rate)
    y = np.random.default_rng(0).normal(0, 0.2, (2, 100_000)).astype(np.float32)
    meter = BlockFilter(sections, 2)
    parts = [meter.push(y[:, start : start + block]) for start in range(0, y.shape[1], block)]
    filtered = np.concatenate([*parts, meter.finish()], axis=1)
    np.testing.assert_allclose(filtered, sosfilt(sections, y.astype(np.float64)), atol=1e-5)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 96_000, 192_000])
def test_the_reference_tone_at_any_rate(rate: int) -> None:
    # BS.1770-4: 997 Hz at full scale in one channel measures -3.01 LKFS.
    y = np.sin(2 * np.pi * 997 * np.arange(5 * rate) / rate)
    assert measured(y[None], rate).integrated_lufs == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize(
    "y",
    [drum_loop(120, 4), cadence(0, ((0, 4, 7), (5, 9, 12))), noise(5), tone(60, 5)],
    ids=["drums", "chords", "noise", "bass"],
)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_agrees_with_pyloudnorm(y: np.ndarray, channels: int) -> None:
    gains = np.linspace(1, 0.3, channels)
    planes = gains[:, None] * y
    reference = pyloudnorm.Meter(RATE, "DeMan").integrated_loudness(planes.T.astype(np.float64))
    assert measured(planes).integrated_lufs == pytest.approx(reference, abs=0.1)


def test_the_subwoofer_of_5_1_does_not_count() -> None:
    y = np.zeros((6, 3 * RATE))
    y[0] = tone(440, 3)
    front = measured(y).integrated_lufs
    y[3] = 1.9 * tone(50, 3)
    assert measured(y).integrated_lufs == pytest.approx(front, abs=0.01)
    y[4] = tone(440, 3)
    assert measured(y).integrated_lufs == pytest.approx(front + 10 * np.log10(2.41), abs=0.001)


def test_the_gate_leaves_pauses_out() -> None:
    y = tone(440, 4)
    with_pause = np.concatenate([y, silence(8)])
    expected = measured(y[None]).integrated_lufs
    assert measured(with_pause[None]).integrated_lufs == pytest.approx(expected, abs=0.3)


def test_true_peak_lies_between_samples() -> None:
    # EBU Tech 3341: a quarter of the rate at 45 degrees has samples 3 dB under its peak.
    n = np.arange(2 * RATE)
    fade = np.minimum(1, np.minimum(n, n[::-1]) / 2_000)
    y = 0.5 * fade * np.sin(np.pi / 2 * n + np.pi / 4)
    assert 20 * np.log10(np.abs(y).max()) == pytest.approx(-9.03, abs=0.05)
    assert measured(y[None]).true_peak_dbtp == pytest.approx(-6.02, abs=0.1)


@pytest.mark.parametrize("hertz", [900, 9_000, 18_000])
def test_true_peak_is_that_of_all_samples_oversampled(hertz: float) -> None:
    """Whatever is passed over as hopeless: here most of a sound that beats at its peak."""
    t = np.arange(100_000) / 44_100
    y = 0.4 * (np.sin(2 * np.pi * hertz * t) + np.sin(2 * np.pi * (hertz + 0.9) * t))
    y += 0.01 * np.random.default_rng(0).normal(size=len(t))
    between = np.sinc(np.arange(-48, 49) / 4) * np.kaiser(97, 5)
    oversampled = np.abs(resample_poly(y, 4, 1, window=between / 4)).max()
    found = measured(y.astype(np.float32)[None]).true_peak_dbtp
    assert found == pytest.approx(20 * np.log10(oversampled), abs=0.001)


def test_true_peak_is_found_wherever_it_is() -> None:
    bump = np.zeros(RATE)
    for at in (0, 5, 4_000, 4_001, 4_002, 30_000, RATE - 1):
        y = bump.copy()
        y[at] = 0.8
        assert measured(y[None]).true_peak_dbtp == pytest.approx(20 * np.log10(0.8), abs=0.2)


def test_the_range_of_two_levels() -> None:
    # EBU Tech 3342, case 1: 20 s at -20 dBFS and 20 s at -30 dBFS span 10 LU.
    y = np.concatenate([tone(1_000, 20, 0.1), tone(1_000, 20, 10**-1.5)])
    loudness = measured(np.stack([y, y]), block=RATE)
    assert loudness.range_lu == pytest.approx(10, abs=1)


def test_short_sounds_have_loudness_but_no_range() -> None:
    for duration in (0.005, 0.1, 0.39, 0.4, 2.9):
        loudness = measured(tone(1_000, duration)[None])
        assert loudness.range_lu is None
        assert loudness.integrated_lufs == pytest.approx(-9, abs=1.5)


def test_silence_has_the_documented_floors() -> None:
    loudness = measured(silence(4)[None])
    assert loudness.integrated_lufs == SILENT_LUFS == -70.0
    assert loudness.true_peak_dbtp == SILENT_DBTP == -120.0
    assert loudness.range_lu == 0.0
