"""Metre: how the beats group."""

import numpy as np

from samplemind.domain.analysis import TimeSignature
from samplemind.audio.features import ONSET_RATE

_FEWEST_BEATS = 8


def time_signature(bands: np.ndarray, beats: np.ndarray) -> TimeSignature | None:
    """Three or four beats to the bar, and 6/8 where each beat divides in three.

    `bands: (frames, 3)` onset strengths at ONSET_RATE, `beats: (n,)` seconds. The accents of the
    beats are correlated with themselves one bar later (Gainza, "Automatic musical meter
    detection", ICASSP 2009). None for fewer than eight beats.
    """
    if len(beats) < _FEWEST_BEATS:
        return None
    by_two, by_three = _at(bands, beats, 1 / 2), _at(bands, beats, 1 / 3) + _at(bands, beats, 2 / 3)
    if by_three.mean() > 1.5 * by_two.mean():
        return TimeSignature(6, 8, _certainty(by_three.mean(), by_two.mean()))
    accents = _at(bands, beats, 0)
    accents = accents - accents.mean(axis=0)
    three, four = _agreement(accents, 3), _agreement(accents, 4)
    if three > four:
        return TimeSignature(3, 4, _certainty(three, four))
    return TimeSignature(4, 4, _certainty(four, three))


def _at(bands: np.ndarray, beats: np.ndarray, phase: float) -> np.ndarray:
    """`(beats - 1, 3)` largest strength within 30 ms of a phase of each beat."""
    moments = beats[:-1] + phase * np.diff(beats)
    frames = np.round(moments * ONSET_RATE).astype(int)[:, None] + np.arange(-2, 3)
    return bands[np.clip(frames, 0, len(bands) - 1)].max(axis=1)


def _agreement(accents: np.ndarray, lag: int) -> float:
    later, earlier = accents[lag:], accents[:-lag]
    scale = np.sqrt(np.square(later).sum() * np.square(earlier).sum())
    return float((later * earlier).sum() / max(scale, 1e-12))


def _certainty(best: float, other: float) -> float:
    best, other = max(float(best), 1e-6), max(float(other), 1e-6)
    return float(np.clip(best / (best + other), 0, 1))
