"""Waveforms against the samples that were written."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind.audio.sources import BLOCK
from samplemind.audio.waveform import peaks

RATE = 44_100


def _noise(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(frames).uniform(-0.9, 0.9, (frames, channels))


def _expected(y: np.ndarray, points: int) -> list[float]:
    """Stretch by stretch: from its first frame up to the next one's, and one frame at least."""
    loudest = np.abs(y).max(axis=1)
    edges = [len(y) * n // points for n in range(points + 1)]
    pairs = pairwise(edges)
    return [loudest[low : max(high, low + 1)].max() for low, high in pairs]


def _wav(path: Path, y: np.ndarray) -> Path:
    soundfile.write(path, y, RATE, "FLOAT", format="WAV")
    return path


@pytest.mark.parametrize("points", [1, 7, 400, 4_000])
@pytest.mark.parametrize(
    "frames", [1, 3, 399, 4_001, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 12_345]
)
def test_is_the_peak_of_each_stretch(tmp_path: Path, frames: int, points: int) -> None:
    y = _noise(frames)
    found = peaks(_wav(tmp_path / "y", y), frames, points)
    assert found.shape == (points,)
    assert found == pytest.approx(_expected(y, points), abs=1e-5)


def test_one_sample_in_one_channel_counts(tmp_path: Path) -> None:
    y = np.zeros((BLOCK * 2, 3))
    y[BLOCK + 5, 2] = -0.5
    found = peaks(_wav(tmp_path / "y", y), len(y), 10)
    assert found.tolist() == [0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0]


def test_what_is_above_full_scale_is_drawn_as_full_scale(tmp_path: Path) -> None:
    y = np.array([[0.25], [-3.0], [np.nan], [np.inf]])
    assert peaks(_wav(tmp_path / "y", y), 4, 4).tolist() == [0.25, 1, 0, 0]


@pytest.mark.parametrize("container", ["FLAC", "OGG", "MP3"])
def test_compressed_sounds_keep_their_outline(tmp_path: Path, container: str) -> None:
    """A tone that grows from nothing to 0.8."""
    ramp = np.linspace(0, 0.8, 3 * RATE)
    path = tmp_path / "y"
    soundfile.write(path, ramp * np.sin(np.arange(len(ramp)) * 0.1), RATE, format=container)
    found = peaks(path, len(ramp), 50)
    assert found == pytest.approx(np.arange(1, 51) / 50 * 0.8, abs=0.04)
