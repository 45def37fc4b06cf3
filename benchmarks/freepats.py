"""Notes of the recorded instruments and drums of Debian's package freepats (GPL-2+), patches for
the Gravis Ultrasound. They are as recorded, without effects, which soundfonts seldom are."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from benchmarks.soundfont import DRUM_KEYS, PROGRAMS
from benchmarks.waves import RATE, Random, log_uniform

FOLDER = Path("/usr/share/midi/freepats")
SOURCE = "freepats"

_HEADER = 239
"""Bytes of the headers of the file, its instrument and its layer, which is the only one."""

_SAMPLES = 198
"""Offset of their number."""

_SAMPLE_HEADER = 96
_WIDE, _UNSIGNED, _LOOPED = 1, 2, 4
"""Bits of a sample's mode."""

_LOWEST_OF_A_LEAD = 140.0
"""Hz: basses are played below, all others above."""


class Sample(NamedTuple):
    """`y: (n,)` at `rate`; between the samples of `loop` it is held, None where it dies away; its
    pitch is `hertz`."""

    y: np.ndarray
    rate: int
    loop: tuple[int, int] | None
    hertz: float


def notes(r: Random, most: int = 6) -> Iterator[tuple[str, str, np.ndarray]]:
    """Up to `most` notes a patch as (patch, name, `(n,)` at RATE)."""
    names = {key: name for name, keys in DRUM_KEYS.items() for key in keys}
    families = {program: name for name, programs in PROGRAMS.items() for program in programs}
    for folder, known in (("Drum_000", names), ("Tone_000", families)):
        for path in sorted((FOLDER / folder).glob("*.pat")):
            name = known.get(int(path.stem[:3]))
            if name is None:
                continue
            samples = [each for each in read(path) if len(each.y)]
            is_low = name == "bass"
            fit = [each for each in samples if (each.hertz < _LOWEST_OF_A_LEAD) == is_low]
            if folder == "Drum_000" or not fit:
                fit = samples
            for i in np.unique(np.linspace(0, len(fit) - 1, most).astype(int)):
                yield path.stem, name, held(r, fit[i])


def read(path: Path) -> list[Sample]:
    content, at = path.read_bytes(), _HEADER
    samples = []
    for _ in range(content[_SAMPLES]):
        size, start, end, rate, _, _, root = struct.unpack_from("<IIIHIII", content, at + 8)
        mode = content[at + 55]
        at += _SAMPLE_HEADER
        width = 2 if mode & _WIDE else 1
        kind = f"<{'u' if mode & _UNSIGNED else 'i'}{width}"
        y = np.frombuffer(content[at : at + size // width * width], kind).astype(np.float64)
        if mode & _UNSIGNED:
            y -= 128 * 256 ** (width - 1)
        loop = (start // width, end // width) if mode & _LOOPED else None
        samples.append(Sample(y / (128 * 256 ** (width - 1)), rate, loop, root / 1_000))
        at += size
    return samples


def held(r: Random, sample: Sample) -> np.ndarray:
    """`(n,)` at RATE: as it is, or held by its loop for up to three seconds and then let go."""
    y = sample.y
    if sample.loop and sample.loop[1] - sample.loop[0] > 1:
        length = int(log_uniform(r, 0.3, 3) * sample.rate)
        first, last = sample.loop[0], min(sample.loop[1], len(y))
        rest = np.resize(y[first:last], max(0, length - last))
        y = np.concatenate([y[:last], rest])[:length]
        fall = min(len(y), int(log_uniform(r, 0.02, 0.5) * sample.rate))
        y[len(y) - fall :] *= np.linspace(1, 0, fall) ** 2
    return soxr.resample(y, sample.rate, RATE)
