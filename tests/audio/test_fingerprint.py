"""A copy is the same sound; another take of it is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soxr

from samplemind.audio.analyze import listen
from samplemind.audio.fingerprint import fingerprint, match
from tests.sounds import (
    MAJOR_CADENCE,
    RATE,
    cadence,
    drum_loop,
    hat,
    kick,
    noise,
    note,
    place,
    silence,
    write,
)


def print_of(path: Path) -> bytes:
    found = fingerprint(listen(path, with_loudness=False).features)
    assert found is not None
    return found


def snare_take(seed: int) -> np.ndarray:
    """The same drum, struck again: its body as before, its wires as never before."""
    t = np.arange(int(0.3 * RATE)) / RATE
    wires = np.random.default_rng(seed).normal(0, 0.3, len(t)) * np.exp(-12 * t)
    return 0.3 * np.sin(2 * np.pi * 190 * t) * np.exp(-25 * t) + wires


SOUNDS: dict[str, Callable[[], np.ndarray]] = {
    "kick": kick,
    "hat": hat,
    "note": lambda: note(220, 1.0),
    "snare": lambda: snare_take(0),
    "loop": lambda: drum_loop(120, 2),
    "chords": lambda: cadence(0, MAJOR_CADENCE),
}

COPIES: dict[str, Callable[[np.ndarray, Path], Path]] = {
    "quieter": lambda y, folder: write(folder / "copy.wav", 0.2 * y),
    "turned over": lambda y, folder: write(folder / "copy.wav", -y),
    "ogg": lambda y, folder: write(folder / "copy.ogg", y, "ogg"),
    "mp3": lambda y, folder: write(folder / "copy.mp3", y, "mp3"),
    "aac": lambda y, folder: write(folder / "copy.m4a", y, "m4a"),
    "half the rate": lambda y, folder: write(
        folder / "copy.wav", soxr.resample(y, RATE, RATE // 2), "wav24", RATE // 2
    ),
    "end cut off": lambda y, folder: write(folder / "copy.wav", y[: int(0.8 * len(y))]),
    "silence before": lambda y, folder: write(
        folder / "copy.wav", np.concatenate([silence(0.15), y])
    ),
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("sound", SOUNDS)
def test_a_copy_is_the_same_sound(sound: str, copy: str, tmp_path: Path) -> None:
    y = SOUNDS[sound]()
    original = print_of(write(tmp_path / "original.wav", y))
    found = match(original, print_of(COPIES[copy](y, tmp_path)))
    assert found.is_same_sound, found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (snare_take(0), snare_take(1)),
        (noise(0.5, seed=1), noise(0.5, seed=2)),
        (note(220, 1.0), note(233.08, 1.0)),
        (kick(), snare_take(0)),
        (drum_loop(120, 2), drum_loop(126, 2)),
        (
            place([(n / 4, snare_take(n)) for n in range(8)], 2),
            place([(n / 4, snare_take(n + 8)) for n in range(8)], 2),
        ),
    ],
    ids=["snares", "noises", "a semitone up", "drums", "another tempo", "a bar played again"],
)
def test_another_take_is_not(one: np.ndarray, other: np.ndarray, tmp_path: Path) -> None:
    first = print_of(write(tmp_path / "one.wav", one))
    found = match(first, print_of(write(tmp_path / "other.wav", other)))
    assert not found.is_same_sound, found


def test_silence_has_none_and_the_shortest_sound_has_one(tmp_path: Path) -> None:
    quiet = listen(write(tmp_path / "silence.wav", silence(1)), with_loudness=False)
    assert fingerprint(quiet.features) is None
    click = print_of(write(tmp_path / "click.wav", kick(0.005)))
    assert match(click, click).is_same_sound
