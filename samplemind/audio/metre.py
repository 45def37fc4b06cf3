"""Metre: how the beats group, and how they divide."""

from collections.abc import Sequence

import numpy as np

from samplemind.audio.claims import NO_CLAIMS, Claims
from samplemind.audio.network import network, shares
from samplemind.audio.onsets import Onsets
from samplemind.audio.pulse import Pulse
from samplemind.audio.tempo import is_felt
from samplemind.domain.analysis import TimeSignature

METRES = ((2, 4), (3, 4), (4, 4), (6, 8))
_BEATS_OF_A_BAR = np.array([TimeSignature(*each, confidence=1).beats for each in METRES])

_LAGS = np.unique(
    np.concatenate(
        [np.arange(1, 25) / 12, np.arange(1, 17) / 4, np.arange(1, 17) / 2, np.arange(1, 17)]
    )
)
"""Beats after which the onsets are compared with themselves: parts of a beat, beats, bars."""

_RATES = np.unique(np.concatenate([np.arange(1, 9) / 4, np.arange(1, 7) / 3, np.arange(1.0, 13.0)]))
"""Multiples of the beat's frequency at which the spectrum of the onsets is looked at."""

_CENTRE = 110.0

FEWEST_BEATS = 8
"""That show a metre."""

_ROUNDING = 0.05
"""Beats by which a length may miss a whole number of them, tempos being rounded."""

_BAR_OF_FOUR = 0.8
"""Confidence that a loop of four beats is a bar of 4/4."""

_MISFIT_ODDS = 10.0
"""How many times less likely a metre is whose bars do not fill the loop."""

_DEFAULT_ODDS, _CLAIM_ODDS = 1.5, 5.0
"""How many times likelier a metre is that the file claims: 4/4 is what is written unasked."""


def has_few_beats(seconds: float, bpm: float) -> bool:
    """Whether a sound is too short to show a metre."""
    return seconds * bpm / 60 < FEWEST_BEATS - _ROUNDING


def time_signature(
    onsets: Onsets,
    bpm: float,
    seconds: float,
    claims: Claims = NO_CLAIMS,
    loop_lengths: Sequence[float] = (),
) -> TimeSignature | None:
    """The likeliest of METRES, or None for fewer than eight beats, or beats that nothing marks.

    A metre shows in how like themselves the onsets are after a third, a half, two, three, four …
    beats (after Gainza, "Automatic musical meter detection", ICASSP 2009). The confidence is the
    share that a small network gives the best; a claimed metre counts for more. Loops are mostly
    whole bars, so of `loop_lengths`, the seconds that one may last, a whole number of beats counts
    against a metre that does not divide it; and four beats are a bar of 4/4.
    """
    if not is_felt(onsets.correlation, bpm):
        return None
    whole = _whole_beats(bpm, loop_lengths)
    if has_few_beats(seconds, bpm):
        return TimeSignature(4, 4, confidence=_BAR_OF_FOUR) if whole == 4 else None
    share = shares(network("metre").utility(traits(Pulse(onsets), bpm))[0])
    if claims.metre in METRES:
        share[METRES.index(claims.metre)] *= (
            _DEFAULT_ODDS if claims.metre == (4, 4) else _CLAIM_ODDS
        )
    if whole:
        share[whole % _BEATS_OF_A_BAR != 0] /= _MISFIT_ODDS
    share /= share.sum()
    best = int(np.argmax(share))
    return TimeSignature(*METRES[best], confidence=float(share[best]))


def _whole_beats(bpm: float, loop_lengths: Sequence[float]) -> int | None:
    """How many beats a loop is, of the first of its lengths that is a whole number of them."""
    beats = [seconds * bpm / 60 for seconds in loop_lengths]
    return next((round(it) for it in beats if abs(it - round(it)) < _ROUNDING), None)


def traits(pulse: Pulse, bpm: float) -> np.ndarray:
    """`(1, 361)`: how alike the onsets are after so many beats, and how much happens so many times
    a beat, for the whole, each band and the notes; the tempo itself, how many onsets a beat has,
    and the colour of the whole, as swing has drums and jigs do not."""
    beat = np.array([bpm])
    octave = np.log2(beat / _CENTRE)
    return np.column_stack(
        [
            pulse.repeats(beat, _LAGS),
            pulse.band_repeats(beat, _LAGS),
            pulse.rates(beat, _RATES),
            pulse.band_rates(beat, _RATES),
            octave,
            octave**2,
            pulse.density(beat),
            pulse.colour()[None],
        ]
    )
