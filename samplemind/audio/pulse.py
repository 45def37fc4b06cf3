"""How a sound repeats itself: what its onsets say about one period and its simple ratios."""

from functools import cached_property

import numpy as np

from samplemind.audio.onsets import ONSET_RATE, Onsets

_SHORTEST, _LONGEST = 0.2, 6.0
"""Seconds between which the strongest repetition is taken as the measure of the others."""

_FAINTEST = 0.02
"""Autocorrelation that is nothing but chance."""

_WINDOW_SECONDS = 6.0
_SPECTRUM_SIZE = 4_096
_LOWEST_BIN, _HIGHEST_BIN = 20, 800
"""0.4 to 17 Hz: slower than a bar, faster than a roll."""


class Pulse:
    """The onsets of a sound, as a whole, in three bands and of notes, by lag and by frequency.

    The autocorrelation favours what is slower than the beat, the spectrum what divides it; together
    they tell the octave (Peeters, "Template-based estimation of time-varying tempo", EURASIP 2007).
    """

    def __init__(self, onsets: Onsets) -> None:
        self.correlation = onsets.correlation
        self._onsets = onsets

    @cached_property
    def strongest(self) -> float:
        """Of the autocorrelation, at any lag that could be a beat or a bar: how clear it all is."""
        return _strongest(self.correlation)

    @cached_property
    def _voices(self) -> list[np.ndarray]:
        """`(lags,)` each: whole, bands and notes, as shares of their strongest repetition."""
        every = (self.correlation, *self._onsets.band_correlations)
        return [widened(voice / _strongest(voice), 1) for voice in every]

    @cached_property
    def _spectra(self) -> list[np.ndarray]:
        """Amplitude `(bins,)` of the same, in units of its root mean square.

        The transform of a tapered autocorrelation is the spectrum of stretches of its length, on
        average over the sound: a tempo that wanders does not blur it.
        """
        return [spectrum(voice) for voice in (self.correlation, *self._onsets.band_correlations)]

    def repeats(self, bpms: np.ndarray, ratios: np.ndarray) -> np.ndarray:
        """`(n, ratios)`: how alike the onsets are after that many beats, 1 for the likest."""
        return _at_lags(self._voices[0], bpms, ratios)

    def band_repeats(self, bpms: np.ndarray, ratios: np.ndarray) -> np.ndarray:
        """`(n, 4 * ratios)`: the same for each band, and for the notes."""
        return np.hstack([_at_lags(voice, bpms, ratios) for voice in self._voices[1:]])

    def rates(self, bpms: np.ndarray, harmonics: np.ndarray) -> np.ndarray:
        """`(n, harmonics)`: how much happens at that multiple of the beat's frequency."""
        return _at_frequencies(self._spectra[0], bpms, harmonics)

    def band_rates(self, bpms: np.ndarray, harmonics: np.ndarray) -> np.ndarray:
        """`(n, 4 * harmonics)`: the same for each band, and for the notes."""
        return np.hstack([_at_frequencies(part, bpms, harmonics) for part in self._spectra[1:]])

    def density(self, bpms: np.ndarray) -> np.ndarray:
        """`(n, 4)`: octaves of the number of onsets a beat, of all and of each band."""
        bands = self._onsets.bands
        rises = np.diff((bands > 0.25 * bands.max(axis=0)).astype(np.int8), axis=0) > 0
        count = np.array([len(self._onsets.frames), *rises.sum(axis=0)])
        rate = np.maximum(count * ONSET_RATE / len(bands), 0.2)
        return np.log2(60 * rate / bpms[:, None])

    def colour(self) -> np.ndarray:
        """`(5,)`: where in the spectrum the onsets lie, how many a second, how clearly repeated."""
        rise = self._onsets.bands.mean(axis=0)
        rate = len(self._onsets.frames) * ONSET_RATE / len(self._onsets.bands)
        share = rise / max(float(rise.sum()), 1e-9)
        return np.array([*share, np.log2(max(rate, 0.3)), self.strongest])


def widened(values: np.ndarray, reach: int) -> np.ndarray:
    """The largest of each value and those `reach` places before and after."""
    return np.maximum.reduce([values, np.roll(values, reach), np.roll(values, -reach)])


def spectrum(correlation: np.ndarray) -> np.ndarray:
    known = correlation[: int(_WINDOW_SECONDS * ONSET_RATE)]
    taper = np.square(np.cos(np.pi / 2 * np.arange(len(known)) / len(known)))
    power = 2 * np.fft.rfft(known * taper, _SPECTRUM_SIZE).real - correlation[0]
    power = np.maximum(power, 0)
    scale = float(np.sqrt(power[_LOWEST_BIN:_HIGHEST_BIN].mean() + 1e-9))
    return widened(np.sqrt(power) / scale, 2)


def _strongest(correlation: np.ndarray) -> float:
    lags = correlation[int(_SHORTEST * ONSET_RATE) : int(_LONGEST * ONSET_RATE)]
    return max(float(lags.max(initial=0.0)), _FAINTEST)


def _at_lags(voice: np.ndarray, bpms: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    lags = np.outer(60 * ONSET_RATE / bpms, ratios)
    return np.where(lags < len(voice) - 1, np.interp(lags, np.arange(len(voice)), voice), 0.0)


def _at_frequencies(part: np.ndarray, bpms: np.ndarray, harmonics: np.ndarray) -> np.ndarray:
    bins = np.outer(bpms / 60, harmonics) * (_SPECTRUM_SIZE / ONSET_RATE)
    return np.where(bins < len(part) - 1, np.interp(bins, np.arange(len(part)), part), 0.0)
