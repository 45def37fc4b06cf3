"""A short part of a sound, for whoever hears it elsewhere."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from samplemind.audio.decode import OpenSound
from samplemind.domain.sound_limits import SoundLimits

RATE = 24_000
"""Samples a second: what models hear is below 12 kHz."""

_LOOKED_THROUGH_SECONDS = 600


def write_excerpt(path: Path, to: Path, seconds: float, limits: SoundLimits | None = None) -> float:
    """Writes the loudest `seconds` of the sound's first ten minutes to `to`, the whole of a shorter
    one: WAV, mono, 16 bits, 24 kHz. Answers how long that is.

    Raises what OpenSound does.
    """
    y = _mono(path, limits)
    length = int(seconds * RATE)
    if len(y) > length:
        # The energy of every stretch that begins with a second.
        energy = np.concatenate(([0], np.cumsum(np.square(y, dtype=np.float64))))
        starts = np.arange(0, len(y) - length + 1, RATE)
        start = starts[np.argmax(energy[starts + length] - energy[starts])]
        y = y[start : start + length]
    # Never clipped: a resampler's peaks may be higher than the sound's.
    y = y / max(1.0, float(np.abs(y).max(initial=0)))
    soundfile.write(to, y, RATE, "PCM_16", format="WAV")
    return len(y) / RATE


def _mono(path: Path, limits: SoundLimits | None) -> np.ndarray:
    """(n,) float32 at RATE: the mean of all channels."""
    pieces, frames = [], 0
    with OpenSound(path, limits=limits) as sound:
        resampled = soxr.ResampleStream(sound.sample_rate, RATE, 1, dtype="float32")
        for block in sound.blocks():
            pieces.append(resampled.resample_chunk(block.mean(axis=0, dtype=np.float32)))
            frames += block.shape[1]
            if frames > _LOOKED_THROUGH_SECONDS * sound.sample_rate:
                break
        pieces.append(resampled.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(pieces)
