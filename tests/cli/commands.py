"""Running the command as a user does, and sounds to run it on."""

import os
import subprocess
from pathlib import Path

import numpy as np
import soundfile

from tests.server import SAMPLEMIND

RATE = 22_050


def environment(**env: str) -> dict[str, str]:
    """Ours without SAMPLEMIND_*, so that nothing from outside steers a command, plus `env`."""
    outer = {name: value for name, value in os.environ.items() if "SAMPLEMIND_" not in name}
    return outer | {"COLUMNS": "200"} | env


def samplemind(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """`samplemind ARGUMENT...`, to its end."""
    return subprocess.run(
        [SAMPLEMIND, *arguments],
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


def write_tone(path: Path, hertz: float = 440.0, seconds: float = 0.5) -> Path:
    """A decaying tone, other bytes for each frequency."""
    t = np.arange(int(RATE * seconds)) / RATE
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * hertz * t) * np.exp(-4 * t), RATE)
    return path


def write_cadence(path: Path) -> Path:
    """C major: its chords I, IV, V, I, two seconds each."""
    t = np.arange(2 * RATE) / RATE
    notes = ((60, 64, 67), (60, 65, 69), (59, 62, 67), (60, 64, 67))
    pitches = [[440 * 2 ** ((note - 69) / 12) for note in chord] for chord in notes]
    chords = [sum(np.sin(2 * np.pi * hertz * t) for hertz in chord) for chord in pitches]
    soundfile.write(path, 0.2 * np.concatenate(chords), RATE)
    return path


def write_noise(path: Path, seconds: float) -> Path:
    """White noise: what takes its time to analyse."""
    noise = np.random.default_rng(0).normal(0, 0.1, int(RATE * seconds))
    soundfile.write(path, noise.clip(-1, 1), RATE)
    return path
