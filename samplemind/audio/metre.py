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
        [0.22, -1.0, -0.71, -1.46, 0.29, -1.46, -1.72, -2.4, 3.9, -2.22, 2.5, -2.34],
        [1.32, -1.84, 1.31, -2.39, 1.02, -0.77, 1.49, 2.0, -4.44, 2.6, -1.51, 1.94],
        [-1.55, 2.84, -0.6, 3.85, -1.31, 2.23, 0.23, 0.4, 0.53, -0.38, -0.98, 0.39],
    ]
)
_BIAS = np.array([0.25, 0.95, -1.2])

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
