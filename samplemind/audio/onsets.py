"""When something begins: the onset strength, and how it repeats itself."""

from functools import cached_property

import numpy as np

from samplemind.audio.spectrum import (
    SAMPLE_RATE,
    TINY,
    log_filtered,
    mel_hertz,
    moving_mean,
    power_blocks,
    to_mel,
)

ONSET_FRAME, ONSET_HOP = 1_024, 256
ONSET_RATE = SAMPLE_RATE / ONSET_HOP
"""Frames a second of the onset strength."""

NOTE_FRAME, NOTE_HOP = 2_048, 512
_NOTE_STEP = 2
"""Frames over which a note rises."""

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
        log = _compressed(np.concatenate([to_mel(power, _BANDS) for power in blocks]))
        rise = _rise(log, 2)
        # The sound begins from silence: its first frames rise against nothing.
        rise = np.concatenate([np.zeros_like(rise[:1]), log[:1], rise])[: len(log)]
        # Where the sound is cut off its spectrum spreads: an end, not a beginning.
        rise[max(1, len(rise) - ONSET_FRAME // ONSET_HOP) :] = 0
        edges = np.searchsorted(mel_hertz(_BANDS)[1:-1], (200, 2_000))
        return np.stack([part.mean(axis=1) for part in np.split(rise, edges, axis=1)], axis=1)

    @cached_property
    def notes(self) -> np.ndarray:
        """`(frames,)` float32, 0..1, at ONSET_RATE: the same for a spectrum of quarter tones.

        Where a choir or an organ goes from chord to chord, nothing becomes louder and no band of
        `bands` changes much; each voice does leave its quarter tone. Blunt in time: 50 ms.
        """
        blocks = power_blocks(self._y, NOTE_FRAME, NOTE_HOP)
        log = _compressed(np.concatenate([log_filtered(power) for power in blocks]))
        rise = np.append(log[:1].mean(axis=1), _rise(log, _NOTE_STEP).mean(axis=1))
        rise[max(1, len(rise) - NOTE_FRAME // NOTE_HOP) :] = 0
        # A long window is touched by what begins before a short one is.
        moments = np.arange(len(self.bands)) * (ONSET_HOP / NOTE_HOP) - 1
        return np.interp(moments, np.arange(len(rise)), rise).astype(np.float32)

    @cached_property
    def strength(self) -> np.ndarray:
        """`(frames,)` float32 at ONSET_RATE, largest value 1: how much begins at each moment."""
        strength = self.bands.mean(axis=1)
        return strength / max(float(strength.max()), TINY)

    @cached_property
    def novelty(self) -> np.ndarray:
        """`(frames,)` float32 at ONSET_RATE, largest value 1: what begins and what changes."""
        novelty = self.bands.mean(axis=1) + self.notes
        return novelty / max(float(novelty.max()), TINY)

    @cached_property
    def correlation(self) -> np.ndarray:
        """`(lags,)` at ONSET_RATE: `autocorrelation` of the novelty."""
        return autocorrelation(self.novelty)

    @cached_property
    def band_correlations(self) -> np.ndarray:
        """`(4, lags)` float64: the autocorrelation of each of `bands`, and of `notes`."""
        return np.stack([autocorrelation(voice) for voice in (*self.bands.T, self.notes)])

    @cached_property
    def frames(self) -> np.ndarray:
        """Indices into `strength` where something begins.

        A peak is the largest value within 30 ms, and stands above its surroundings.
        """
        strength = self.strength
        around = np.lib.stride_tricks.sliding_window_view(np.pad(strength, 3), 7)
        floor = moving_mean(strength, 2 * int(0.1 * ONSET_RATE) + 1)
        return np.flatnonzero((strength == around.max(axis=1)) & (strength > floor + 0.07))


def _compressed(power: np.ndarray) -> np.ndarray:
    """Logarithm, 0..1, in the place of `power`: an hour of sound has 300,000 frames."""
    power *= np.float32(_COMPRESSION / max(float(power.max()), TINY))
    log = np.log1p(power, out=power)
    log /= np.float32(np.log1p(_COMPRESSION))
    return log


def _rise(log: np.ndarray, step: int) -> np.ndarray:
    """`(frames - step, bands)`: how far each band is above it and its neighbours `step` before."""
    before = log[:-step].copy()
    np.maximum(before[:, 1:], log[:-step, :-1], out=before[:, 1:])
    np.maximum(before[:, :-1], log[:-step, 1:], out=before[:, :-1])
    rise = np.subtract(log[step:], before, out=before)
    return np.maximum(rise, 0, out=rise)


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
