"""Metre: how the beats group, and how they divide."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from samplemind.audio.claims import NO_CLAIMS, Claims
from samplemind.audio.onsets import Onsets
from samplemind.audio.pulse import Pulse
from samplemind.audio.tempo import is_felt
from samplemind.domain.analysis import TimeSignature

METRES = ((2, 4), (3, 4), (4, 4), (6, 8))

_THIRDS = np.array([1 / 3, 2 / 3, 4 / 3, 5 / 3])
_HALVES = np.array([1 / 2, 3 / 2, 5 / 2])
_BARS = np.array([1, 2, 3, 4, 6, 8])
"""Beats after which the onsets are compared with themselves: what divides a beat, and bars."""

_FAINT, _FAINT_BAR = 0.03, 0.1
"""Agreement that tells as little as none: of parts of a beat, and of whole ones."""

FEWEST_BEATS = 8
"""That show a metre."""

_DEFAULT_ODDS, _CLAIM_ODDS = 1.5, 5.0
"""How many times likelier a metre is that the file claims: 4/4 is what is written unasked."""


class Model(NamedTuple):
    """`weights: (metres, traits)`, `bias: (metres,)`, fitted by benchmarks/fit_rhythm.py."""

    weights: np.ndarray
    bias: np.ndarray


@cache
def model() -> Model:
    with files("samplemind.audio").joinpath("metre.npz").open("rb") as file, np.load(file) as data:
        return Model(**data)


def time_signature(
    onsets: Onsets, bpm: float, seconds: float, claims: Claims = NO_CLAIMS
) -> TimeSignature | None:
    """The likeliest of METRES, or None for fewer than eight beats, or beats that nothing marks.

    A metre shows in how like themselves the onsets are after a third, a half, two, three, four …
    beats (after Gainza, "Automatic musical meter detection", ICASSP 2009). The confidence is the
    share that a multinomial logistic regression gives the best; a claimed metre counts for more.
    """
    if seconds * bpm / 60 < FEWEST_BEATS or not is_felt(onsets.correlation, bpm):
        return None
    utility = model().weights @ traits(Pulse(onsets), bpm) + model().bias
    share = np.exp(utility - utility.max())
    if claims.metre in METRES:
        share[METRES.index(claims.metre)] *= (
            _DEFAULT_ODDS if claims.metre == (4, 4) else _CLAIM_ODDS
        )
    share /= share.sum()
    best = int(np.argmax(share))
    return TimeSignature(*METRES[best], confidence=float(share[best]))


def traits(pulse: Pulse, bpm: float) -> np.ndarray:
    """`(31,)`: how much more the onsets agree after thirds of a beat than after halves, for the
    whole, each band, the clearest band and the clearest of all; how much more after each number of
    beats than after the next smaller; and the colour of the whole, as swing has drums and jigs do
    not.

    All are ratios: a tune's quick notes are faint beside the bass, and yet tell a jig from a reel.
    """
    thirds, halves = (
        np.log(pulse.agreement(bpm, ratios) + _FAINT).mean(axis=1) for ratios in (_THIRDS, _HALVES)
    )
    bars = np.diff(np.log(pulse.agreement(bpm, _BARS) + _FAINT_BAR), axis=1)
    clearest = [
        part.max() - other.max() for part, other in ((thirds[1:], halves[1:]), (thirds, halves))
    ]
    return np.concatenate([thirds - halves, clearest, bars.ravel(), pulse.colour()])
