"""Tempo: the pulse that the onsets of a sound agree on."""

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter1d

from samplemind.audio.features import ONSET_RATE
from samplemind.domain.analysis import Tempo

SLOWEST, FASTEST = 50.0, 220.0
"""Beats a minute that are looked for."""

_CENTRE, _SPREAD = 118.0, 0.7
"""Preferred tempo, and the octaves of one standard deviation."""

_BEATS = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128)
_CLEAR = 0.12


def tempo(strength: np.ndarray, loop_seconds: float | None) -> Tempo | None:
    """Tempo of an onset strength `(frames,)` at ONSET_RATE, or None where there is no pulse.

    `loop_seconds` is the length of the sound if it is a loop: then its tempo is one at which the
    loop is a whole number of beats, and the length gives it more exactly than any onset.

    Candidates are scored by the autocorrelation of the onset strength at multiples of their
    period, times a preference for common tempos (Ellis, "Beat tracking by dynamic programming",
    2007; the log-normal prior is his).
    """
    correlation = autocorrelation(strength)
    bpms = SLOWEST * 2 ** np.linspace(0, np.log2(FASTEST / SLOWEST), 400)
    if loop_seconds is not None:
        exact = np.array([beats * 60 / loop_seconds for beats in _BEATS])
        exact = exact[(exact >= SLOWEST) & (exact <= FASTEST)]
        if len(exact):
            bpms = exact
    clarity = _comb(correlation, bpms)
    scores = np.maximum(clarity, 0) * _preference(bpms)
    best = int(np.argmax(scores))
    if clarity[best] < _CLEAR:
        return None
    bpm = float(bpms[best])
    if loop_seconds is None:
        bpm = _refine(correlation, bpm)
    alternatives = _alternatives(bpms, scores, best)
    return Tempo(
        bpm=round(bpm, 2),
        confidence=float(np.clip(clarity[best], 0, 1)),
        alternatives=tuple(round(other, 2) for other in alternatives),
    )


def autocorrelation(strength: np.ndarray) -> np.ndarray:
    """Unbiased autocorrelation `(lags,)` of the onset strength, 1 at lag 0, up to 3/4 of it."""
    width = 2 * int(0.5 * ONSET_RATE) + 1
    y = np.maximum(strength - uniform_filter1d(strength, width, mode="nearest"), 0)
    y = y - y.mean()
    size = scipy.fft.next_fast_len(2 * len(y), real=True)
    spectrum = scipy.fft.rfft(y, size)
    correlation = scipy.fft.irfft(np.square(np.abs(spectrum)), size)[: max(2, 3 * len(y) // 4)]
    correlation = correlation / (len(y) - np.arange(len(correlation)))
    return correlation / max(float(correlation[0]), 1e-12)


def _comb(correlation: np.ndarray, bpms: np.ndarray) -> np.ndarray:
    """Mean autocorrelation at the first multiples of each period, as far as they are known."""
    # An onset is a few frames wide; so is what counts as agreement.
    smooth = np.maximum.reduce([correlation, np.roll(correlation, 1), np.roll(correlation, -1)])
    lags = np.outer(60 * ONSET_RATE / bpms, np.array([1, 2, 3, 4, 8]))
    known = lags < len(correlation) - 1
    at = np.interp(lags, np.arange(len(smooth)), smooth)
    weights = known * np.array([1.0, 1.0, 0.5, 1.0, 0.5])
    return (at * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1.0)


def _preference(bpms: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * (np.log2(bpms / _CENTRE) / _SPREAD) ** 2)


def _refine(correlation: np.ndarray, bpm: float) -> float:
    """The same pulse, measured over as many beats as stay in step."""
    period = 60 * ONSET_RATE / bpm
    beats = 1
    while beats * 2 * period < len(correlation) - 8 and beats < 64:
        beats *= 2
        lag = beats * period
        reach = max(2, round(0.02 * lag / beats * 2))
        low = max(1, round(lag) - reach)
        window = correlation[low : round(lag) + reach + 1]
        top = low + int(np.argmax(window))
        if correlation[top] < 0.3 * correlation[max(1, round(period)) - 1 : round(period) + 2].max():
            break
        left, centre, right = correlation[top - 1 : top + 2]
        bend = left - 2 * centre + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        period = (top + float(np.clip(shift, -0.5, 0.5))) / beats
    return 60 * ONSET_RATE / period


def _alternatives(bpms: np.ndarray, scores: np.ndarray, best: int) -> list[float]:
    padded = np.concatenate([[-1.0], scores, [-1.0]])
    is_peak = (padded[1:-1] >= padded[:-2]) & (padded[1:-1] >= padded[2:])
    others = [
        i
        for i in np.argsort(-scores)
        if is_peak[i] and abs(bpms[i] / bpms[best] - 1) > 0.04 and scores[i] > 0.3 * scores[best]
    ]
    return [float(bpms[i]) for i in others[:3]]
