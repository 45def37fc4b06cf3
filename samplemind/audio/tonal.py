"""Which notes sound: spectral peaks, and what they say of tuning and pitch classes."""

from functools import cached_property

import numpy as np

from samplemind.audio.spectrum import SAMPLE_RATE, TINY, power_blocks

_FRAME, HOP = 8_192, 4_096
_LOWEST, _HIGHEST = 35, 5_000
"""Hz between which peaks are looked for."""


class Tonal:
    """Spectral peaks of `y: (n,)` float32 mono at SAMPLE_RATE, in frames of 0.37 s.

    `frame`, `pitch` and `magnitude` are all `(peaks,)`: the index of the frame, a fractional MIDI
    number, linear. `peakiness` is the share of the power (35 Hz to 5 kHz) that stands in clear
    peaks.
    """

    def __init__(self, y: np.ndarray) -> None:
        low, high = (round(hertz * _FRAME / SAMPLE_RATE) for hertz in (_LOWEST, _HIGHEST))
        frames, pitches, magnitudes = [], [], []
        count, peaked, total = 0, 0.0, 0.0
        for power in power_blocks(y, _FRAME, HOP):
            band = power[:, low:high]
            loudest = band.max(axis=1, keepdims=True)
            is_peak = (
                (band > power[:, low - 1 : high - 1])
                & (band >= power[:, low + 1 : high + 1])
                & (band > np.maximum(1e-4 * loudest, TINY))
            )
            row, column = np.nonzero(is_peak)
            stands_out = band[row, column] > 4 * _surroundings(band, row, column)
            row, column = row[stands_out], column[stands_out] + low
            left, centre, right = (np.log(power[row, column + step] + TINY) for step in (-1, 0, 1))
            shift = 0.5 * (left - right) / np.minimum(left - 2 * centre + right, -TINY)
            hertz = (column + np.clip(shift, -0.5, 0.5)) * (SAMPLE_RATE / _FRAME)
            frames.append(row + count)
            pitches.append(69 + 12 * np.log2(hertz / 440))
            magnitudes.append(np.sqrt(power[row, column]))
            # A Hann window spreads a sinusoid over three bins, the outer ones at a quarter.
            peaked += 1.5 * float(power[row, column].sum())
            total += float(band.sum())
            count += len(power)
        self.frames = count
        self.frame: np.ndarray = np.concatenate(frames)
        self.pitch: np.ndarray = np.concatenate(pitches)
        self.magnitude: np.ndarray = np.concatenate(magnitudes)
        self.peakiness = min(1.0, peaked / max(total, TINY))

    @cached_property
    def _deviation(self) -> complex:
        """Mean of the peaks' deviations from a semitone, as points on a circle."""
        sum_ = np.sum(self.magnitude * np.exp(2j * np.pi * self.pitch))
        return complex(sum_ / max(float(self.magnitude.sum()), TINY))

    @property
    def tuning(self) -> float:
        """Semitones, -0.5..0.5, by which the sound's scale lies above A 440."""
        return float(np.angle(self._deviation) / (2 * np.pi))

    @property
    def agreement(self) -> float:
        """0..1: how far the peaks agree on a tuning. Those of cymbals lie anywhere."""
        return abs(self._deviation)

    @cached_property
    def chroma(self) -> np.ndarray:
        """`(frames, 12)` float32 over the tonal frames, pitch classes from C, tuned.

        Each peak also counts, less and less, for the notes that it may be a harmonic of (Gómez,
        "Tonal description of polyphonic audio for music content processing", 2006).
        """
        chroma = np.zeros(self.frames * 12)
        for harmonic in (1, 2, 3, 4, 5):
            pitch = self.pitch - self.tuning - 12 * np.log2(harmonic)
            nearest = np.round(pitch).astype(np.int64)
            closeness = np.cos(np.pi / 2 * np.minimum(1, 2 * np.abs(pitch - nearest))) ** 2
            weight = 0.8 ** (harmonic - 1) * closeness * self.magnitude**0.75
            chroma += np.bincount(self.frame * 12 + nearest % 12, weight, len(chroma))
        return chroma.reshape(-1, 12).astype(np.float32)

    @cached_property
    def profile(self) -> np.ndarray:
        """`(12,)`, sum 1 (or 0): `chroma` over all frames; loud ones count more."""
        energy = self.chroma.sum(axis=1, keepdims=True)
        return share((self.chroma / np.maximum(np.sqrt(energy), TINY)).sum(axis=0))


def share(amounts: np.ndarray) -> np.ndarray:
    """`amounts` scaled to a sum of 1; zeros stay."""
    return amounts / max(float(amounts.sum()), TINY)


def _surroundings(band: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Mean power of the 65 bins around the given bins `(n,)` of `(frames, bins)`."""
    padded = np.pad(band, ((0, 0), (33, 32)), mode="edge")
    total = np.cumsum(padded, axis=1, dtype=np.float64)
    return (total[row, column + 65] - total[row, column]) / 65
