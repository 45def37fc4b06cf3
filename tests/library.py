"""The sounds that the tests' library holds."""

import shutil
from pathlib import Path

import numpy as np
import soundfile

_REAL = Path("/usr/share/sonic-pi/samples")
_CHOSEN = (
    "bd_haus",
    "bd_sone",
    "bd_zum",
    "sn_dub",
    "drum_snare_hard",
    "drum_cymbal_closed",
    "loop_amen",
    "loop_breakbeat",
    "bass_hit_c",
    "ambi_choir",
)


def library(folder: Path) -> list[Path]:
    """Ten sounds in `folder`: kicks, snares, a hat, two drum loops, a bass, a choir. From
    Debian's sonic-pi-samples where it is installed, else made here with the same names."""
    for number, name in enumerate(_CHOSEN):
        real = _REAL / f"{name}.flac"
        if real.exists():
            shutil.copy(real, folder)
        else:
            y = _loop(number) if name.startswith("loop") else _hit(number)
            soundfile.write(folder / f"{name}.flac", y, 44_100)
    return sorted(folder.iterdir())


def _hit(seed: int) -> np.ndarray:
    """A decaying tone with some noise, another for each seed."""
    t = np.arange(22_050) / 44_100
    noise = np.random.default_rng(seed).standard_normal(t.size)
    tone = np.sin(2 * np.pi * 55 * (1 + seed) * t)
    return (0.6 * tone + 0.05 * seed * noise) * np.exp(-12 * t) * 0.6


def _loop(seed: int) -> np.ndarray:
    """Eight hits in four beats of 120 BPM."""
    steps = [_hit(seed + step % 2)[:11_025] for step in range(8)]
    return np.concatenate(steps)
