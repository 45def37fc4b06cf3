"""What several questions share: one sound, its envelopes and spectra, each computed once."""

from functools import cached_property

import numpy as np

from samplemind.audio.contrast import spectral_contrast
from samplemind.audio.onsets import Onsets
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.audio.timbre import Timbre
from samplemind.audio.tonal import Tonal

ENVELOPE_HOP = 64
"""Samples a value of the amplitude envelope (2.9 ms)."""

SILENCE = 10 ** (-90 / 20)
"""Peak below which a sound is silence: half the step of 16 bits, so undithered it is all zeros."""

HEARD = 10 ** (-55 / 20)
"""Of the peak: what is below is taken for silence around a sound."""


class Features:
    """A sound to be asked questions; each part is worked out on first use.

    `y: (n,)` float32 mono at SAMPLE_RATE, n > 0, without offset. It is scaled to a peak of 1: what
    follows does not depend on gain. It is scaled in place: an hour of sound is kept but once.
    `seconds` is the length of the file itself; `seam` how far its first sample lies from where its
    last ones lead to, in the channel where that is furthest, at the scale of `y`.
    """

    def __init__(self, y: np.ndarray, seconds: float, seam: float = 0.0) -> None:
        self.seconds = seconds
        peak = max(float(y.max()), -float(y.min()))
        self.is_silent = peak < SILENCE
        self.y = y
        scale = 0 if self.is_silent else 1 / peak
        y *= np.float32(scale)
        self.seam = seam * scale

    @cached_property
    def envelope(self) -> np.ndarray:
        """`(m,)` float32: RMS of each ENVELOPE_HOP samples."""
        whole = len(self.y) // ENVELOPE_HOP * ENVELOPE_HOP
        rows, rest = self.y[:whole].reshape(-1, ENVELOPE_HOP), self.y[whole:]
        power = np.einsum("ij,ij->i", rows, rows)
        if len(rest):
            power = np.append(power, np.vdot(rest, rest))
        return np.sqrt(power / np.float32(ENVELOPE_HOP))

    @cached_property
    def begins(self) -> float:
        """Seconds at which it is first heard."""
        heard = np.flatnonzero(np.abs(self.y) > HEARD)
        return float(heard[0]) / SAMPLE_RATE if len(heard) else 0.0

    @cached_property
    def contrast(self) -> np.ndarray:
        """`(7,)` dB: see spectral_contrast."""
        return spectral_contrast(self.y)

    @cached_property
    def zero_crossing_rate(self) -> float:
        """Sign changes a sample, 0..1."""
        return float(np.mean(np.diff(np.signbit(self.y)))) if len(self.y) > 1 else 0.0

    @cached_property
    def timbre(self) -> Timbre:
        return Timbre.of(self.y)

    @cached_property
    def onsets(self) -> Onsets:
        return Onsets(self.y)

    @cached_property
    def tonal(self) -> Tonal:
        return Tonal(self.y)
