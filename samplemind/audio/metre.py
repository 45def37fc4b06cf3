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
        [0.14, -1.59, -1.19, -1.96, 0.36, -1.15, -1.72, -2.26, 3.83, -1.45, 1.81, -2.22],
        [1.01, -1.36, 1.85, -2.57, 0.67, -0.65, 1.43, 2.21, -5.15, 2.16, -1.42, 2.12],
        [-1.15, 2.95, -0.66, 4.53, -1.03, 1.8, 0.29, 0.05, 1.33, -0.71, -0.39, 0.1],
    ]
)
_BIAS = np.array([0.25, 1.1, -1.35])

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
    utility = _WEIGHTS @ at_multiples(correlation, np.array([bpm]), RATIOS)[0] + _BIAS
    share = np.exp(utility - utility.max())
    share /= share.sum()
    best = int(np.argmax(share))
    return TimeSignature(*METRES[best], confidence=float(share[best]))
