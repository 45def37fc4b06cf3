"""Metre: how the beats group, and how they divide."""

import numpy as np

from samplemind.audio.tempo import at_multiples
from samplemind.domain.analysis import TimeSignature

RATIOS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 6, 8])
"""Multiples of the beat at which the autocorrelation is looked at."""

METRES = ((3, 4), (4, 4), (6, 8))

# Fitted by benchmarks/fit_rhythm.py: a row a metre, a column a ratio.
_WEIGHTS = np.array(
    [
        [-3.04, -1.92, 0.14, -2.84, -1.39, 1.93, -1.79, 0.38, 5.44, 0.11, 2.91, 0.07],
        [2.1, 1.33, 0.26, -0.64, 3.35, -0.72, 1.58, 1.12, -5.74, 0.81, -3.14, -0.3],
        [0.94, 0.59, -0.39, 3.49, -1.96, -1.21, 0.21, -1.5, 0.3, -0.91, 0.23, 0.23],
    ]
)
_BIAS = np.array([-21.59, 16.2, 5.39])

_FEWEST_BEATS = 8


def time_signature(correlation: np.ndarray, bpm: float, seconds: float) -> TimeSignature | None:
    """The likeliest of METRES, or None for sounds of fewer than eight beats.

    `correlation: (lags,)` is the autocorrelation of the onset strength: a metre shows in how like
    themselves the onsets are after a third, a half, two, three, four … beats (after Gainza,
    "Automatic musical meter detection", ICASSP 2009). The confidence is the share that a
    multinomial logistic regression gives the best.
    """
    if seconds * bpm / 60 < _FEWEST_BEATS:
        return None
    utility = _WEIGHTS @ likeness(correlation, bpm) + _BIAS
    share = np.exp(utility - utility.max())
    share /= share.sum()
    best = int(np.argmax(share))
    return TimeSignature(*METRES[best], confidence=float(share[best]))


def likeness(correlation: np.ndarray, bpm: float) -> np.ndarray:
    """`(12,)`: the autocorrelation at RATIOS of the beat, against its mean, in deviations."""
    values = at_multiples(correlation, np.array([bpm]), RATIOS)[0]
    return (values - values.mean()) / max(float(values.std()), 0.05)
