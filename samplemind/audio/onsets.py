"""When something begins: the onset strength, and how it repeats itself."""

from functools import cached_property

import numpy as np

from samplemind.audio.spectrum import (
    SAMPLE_RATE,
    TINY,
    mel_hertz,
    moving_mean,
    power_blocks,
    to_mel,
)

ONSET_FRAME, ONSET_HOP = 1_024, 256
ONSET_RATE = SAMPLE_RATE / ONSET_HOP
"""Frames a second of the onset strength."""

_BANDS = 48
_COMPRESSION = 1e5
"""A hat is 30 dB below a kick in the spectrum, and still an onset."""


class Onsets:
    """`y: (n,)` float32 mono at SAMPLE_RATE."""

    def __init__(self, y: np.ndarray) -> None:
        self._y = y

    @cached_property
    def bands(self) -> np.ndarray:
        """`(frames, 3)` float32, 0..1: rise of the log mel spectrum below 200 Hz, to 2 kHz, above.

        Spectral flux with a maximum filter over bands against vibrato (Böck and Widmer,
        "Maximum filter vibrato suppression for onset detection", DAFx 2013).
        """
        blocks = power_blocks(self._y, ONSET_FRAME, ONSET_HOP)
        mel = np.concatenate([to_mel(power, _BANDS) for power in blocks])
        # In place: an hour of sound has 300,000 frames.
        mel *= np.float32(_COMPRESSION / max(float(mel.max()), TINY))
        log = np.log1p(mel, out=mel)
        log /= np.float32(np.log1p(_COMPRESSION))
        before = log[:-2].copy()
        np.maximum(before[:, 1:], log[:-2, :-1], out=before[:, 1:])
        np.maximum(before[:, :-1], log[:-2, 1:], out=before[:, :-1])
        rise = np.subtract(log[2:], before, out=before)
        np.maximum(rise, 0, out=rise)
        # The sound begins from silence: its first frames rise against nothing.
        rise = np.concatenate([np.zeros_like(rise[:1]), log[:1], rise])[: len(log)]
        # Where the sound is cut off its spectrum spreads: an end, not a beginning.
        rise[max(1, len(rise) - ONSET_FRAME // ONSET_HOP) :] = 0
        edges = np.searchsorted(mel_hertz(_BANDS)[1:-1], (200, 2_000))
        return np.stack([part.mean(axis=1) for part in np.split(rise, edges, axis=1)], axis=1)

    @cached_property
    def strength(self) -> np.ndarray:
        """`(frames,)` float32 at ONSET_RATE, largest value 1: how much begins at each moment."""
        strength = self.bands.mean(axis=1)
        return strength / max(float(strength.max()), TINY)

    @cached_property
    def correlation(self) -> np.ndarray:
        """`(lags,)` at ONSET_RATE: see `autocorrelation`."""
        return autocorrelation(self.strength)

    @cached_property
    def band_correlations(self) -> np.ndarray:
        """`(3, lags)` float64: the autocorrelation of each of `bands`."""
        return np.stack([autocorrelation(band) for band in self.bands.T])

    @cached_property
    def frames(self) -> np.ndarray:
        """Indices into `strength` where something begins.

        A peak is the largest value within 30 ms, and stands above its surroundings.
        """
        strength = self.strength
        around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, 3), 7)
        floor = moving_mean(strength, 2 * int(0.1 * ONSET_RATE) + 1)
        return np.flatnonzero((strength == around.max(axis=1)) & (strength > floor + 0.07))


def autocorrelation(strength: np.ndarray) -> np.ndarray:
    """Unbiased autocorrelation `(lags,)` of an onset strength, 1 at lag 0, up to 3/4 of its length.

    Only what stands above the mean of a second counts.
    """
    y = np.maximum(strength - moving_mean(strength, 2 * int(0.5 * ONSET_RATE) + 1), 0)
    y = y - y.mean()
    spectrum = np.fft.rfft(y, 1 << (2 * len(y)).bit_length())
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[: 3 * len(y) // 4 + 1]
    correlation /= len(y) - np.arange(len(correlation))
    return correlation / max(float(correlation[0]), TINY)
