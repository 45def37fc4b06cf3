"""Metre: how the beats group, and how they divide."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from samplemind.audio.onsets import Onsets
from samplemind.audio.pulse import Pulse
from samplemind.audio.tempo import is_felt
from samplemind.domain.analysis import TimeSignature

METRES = ((2, 4), (3, 4), (4, 4), (6, 8))

_RATIOS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 6, 8, 12])
_BAR_RATIOS = np.array([1, 2, 3, 4, 6, 8])
"""Multiples of the beat at which the autocorrelation is looked at, of the whole and by band."""

_HARMONICS = np.array([1 / 8, 1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4, 6])
"""Multiples of the beat's frequency at which the spectrum of the onsets is looked at."""

_FEWEST_BEATS = 8


class Model(NamedTuple):
    """`weights: (metres, traits)`, `bias: (metres,)`, fitted by benchmarks/fit_rhythm.py."""

    weights: np.ndarray
    bias: np.ndarray


@cache
def model() -> Model:
    with files("samplemind.audio").joinpath("metre.npz").open("rb") as file, np.load(file) as data:
        return Model(**data)


def time_signature(onsets: Onsets, bpm: float, seconds: float) -> TimeSignature | None:
    """The likeliest of METRES, or None for fewer than eight beats, or beats that nothing marks.

    A metre shows in how like themselves the onsets are after a third, a half, two, three, four …
    beats (after Gainza, "Automatic musical meter detection", ICASSP 2009), and in what happens at
    the rate of bars and of parts of a beat. The confidence is the share that a multinomial logistic
    regression gives the best.
    """
    if seconds * bpm / 60 < _FEWEST_BEATS or not is_felt(onsets.correlation, bpm):
        return None
    utility = model().weights @ traits(Pulse(onsets), bpm) + model().bias
    share = np.exp(utility - utility.max())
    share /= share.sum()
    best = int(np.argmax(share))
    return TimeSignature(*METRES[best], confidence=float(share[best]))


def traits(pulse: Pulse, bpm: float) -> np.ndarray:
    """`(43,)`: what repeats and what happens at simple ratios of the beat."""
    beat = np.array([bpm])
    return np.concatenate(
        [
            pulse.repeats(beat, _RATIOS)[0],
            pulse.band_repeats(beat, _BAR_RATIOS)[0],
            pulse.rates(beat, _HARMONICS)[0],
        ]
    )
