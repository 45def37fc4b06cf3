"""How a sound is coloured, frame by frame."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from samplemind.audio.spectrum import SAMPLE_RATE, TINY, dct_basis, power_blocks, to_mel

FRAME, HOP = 2_048, 512
"""Samples of a frame of timbre, and between two of them."""

MELS = 128

_ROLLOFF = 0.85
_STEP = 32
"""Bins that the search for the rolloff takes at once."""

_ACTIVE = 1e-6
_LONG_SECONDS = 600
"""From here on a quarter of the frames tells the same, in a quarter of the memory."""


@dataclass(frozen=True)
class Timbre:
    """One value (or row) a frame of FRAME samples; all arrays float32.

    `mel: (frames, MELS)` power; `centroid`, `bandwidth`, `rolloff` in Hz over the magnitude;
    `flatness` 0..1 (geometric over arithmetic mean of the power); `power: (frames,)` the sum over
    the bins; `active: (frames,)` bool, within 60 dB of the loudest frame.
    """

    mel: np.ndarray
    centroid: np.ndarray
    bandwidth: np.ndarray
    rolloff: np.ndarray
    flatness: np.ndarray
    power: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray) -> "Timbre":
        """`y: (n,)` float32 mono at SAMPLE_RATE."""
        frequencies = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE).astype(np.float32)
        moments = np.stack([np.ones_like(frequencies), frequencies, frequencies**2], axis=1)
        rows = []
        hop = HOP if len(y) < _LONG_SECONDS * SAMPLE_RATE else 4 * HOP
        for power in power_blocks(y, FRAME, hop):
            magnitude = np.sqrt(power)
            total, first, second = (magnitude @ moments).T
            total = np.maximum(total, TINY)
            centroid = first / total
            bandwidth = np.sqrt(np.maximum(second / total - centroid**2, 0))
            rolloff = frequencies[_rolloff_bin(magnitude)]
            energy = power.sum(axis=1)
            flatness = _geometric_mean(power + TINY) / (energy / power.shape[1] + TINY)
            mel = to_mel(power, MELS)
            rows.append((mel, centroid, bandwidth, rolloff, np.minimum(flatness, 1), energy))
        return cls(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    @cached_property
    def active(self) -> np.ndarray:
        return self.power >= _ACTIVE * self.power.max()

    @cached_property
    def log_mel(self) -> np.ndarray:
        """`(frames, MELS)` dB below the loudest band, floored at -80."""
        decibels = 10 * np.log10(np.maximum(self.mel, TINY))
        return np.maximum(decibels, decibels.max() - 80) - decibels.max()

    @cached_property
    def mfcc(self) -> np.ndarray:
        """`(frames, 20)`: orthonormal DCT-II of the log mel spectrum."""
        return self.log_mel @ dct_basis(MELS, 20)


def _rolloff_bin(magnitude: np.ndarray) -> np.ndarray:
    """`(frames,)`: the bin of `(frames, bins)` at which _ROLLOFF of the sum is reached.

    Found among sums of _STEP bins, then within one of them: a sum over all bins takes longer.
    """
    # The last bin is one too many for whole steps.
    parts = magnitude[:, :-1].reshape(len(magnitude), -1, _STEP)
    reached = np.cumsum(parts @ np.ones(_STEP, np.float32), axis=1)
    reached[:, -1] += magnitude[:, -1]
    wanted = _ROLLOFF * reached[:, -1]
    step = np.argmax(reached >= wanted[:, None], axis=1)
    rows = np.arange(len(magnitude))
    within = np.cumsum(parts[rows, step], axis=1)
    before = np.where(step, reached[rows, step - 1], 0)
    below = np.count_nonzero(before[:, None] + within < wanted[:, None], axis=1)
    return step * _STEP + np.minimum(below, _STEP - 1)


def _geometric_mean(power: np.ndarray) -> np.ndarray:
    """`(frames,)` of `(frames, bins)` between TINY and some: three of them multiply to more than
    the least float32, so that one logarithm does for three."""
    third = power.shape[1] // 3
    product = power[:, :third] * power[:, third : 2 * third]
    product *= power[:, 2 * third : 3 * third]
    logarithms = np.log(product).sum(axis=1) + np.log(power[:, 3 * third :]).sum(axis=1)
    return np.exp(logarithms / power.shape[1])
