"""The part of a sound that others hear."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind.audio.excerpt import RATE, write_excerpt


def _excerpt(y: np.ndarray, rate: int, folder: Path, seconds: float = 2) -> np.ndarray:
    soundfile.write(folder / "sound.wav", y, rate, "FLOAT")
    length = write_excerpt(folder / "sound.wav", folder / "excerpt.wav", seconds)
    heard, its_rate = soundfile.read(folder / "excerpt.wav")
    info = soundfile.info(folder / "excerpt.wav")
    assert (its_rate, info.channels, info.subtype) == (RATE, 1, "PCM_16")
    assert length == pytest.approx(len(heard) / RATE)
    return heard


def _tone(seconds: float, rate: int, hertz: float = 440) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_of_a_short_sound_is_all_of_it(tmp_path: Path, rate: int) -> None:
    heard = _excerpt(0.5 * _tone(1, rate), rate, tmp_path)
    assert len(heard) == pytest.approx(RATE, abs=50)
    middle = slice(1_000, -1_000)
    assert np.abs(heard - 0.5 * _tone(len(heard) / RATE, RATE))[middle].max() < 0.01


def test_of_a_long_sound_is_where_it_is_loudest(tmp_path: Path) -> None:
    rate = 44_100
    y = np.concatenate([0.1 * _tone(7, rate), 0.8 * _tone(2, rate, 880), 0.1 * _tone(5, rate)])
    heard = _excerpt(y, rate, tmp_path)
    assert len(heard) == 2 * RATE
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.8 / np.sqrt(2), rel=0.02)


def test_is_the_mean_of_all_channels(tmp_path: Path) -> None:
    y = _tone(1, RATE)
    assert np.abs(_excerpt(np.stack([0.8 * y, -0.4 * y], 1), RATE, tmp_path)).max() == (
        pytest.approx(0.2, abs=0.001)
    )


def test_is_never_clipped(tmp_path: Path) -> None:
    heard = _excerpt(4 * _tone(1, RATE), RATE, tmp_path)
    assert np.mean(np.abs(heard) > 0.99) < 0.1
