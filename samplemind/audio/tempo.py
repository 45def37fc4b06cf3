"""Tempo: the pulse that the onsets of a sound agree on."""

from collections.abc import Sequence

import numpy as np

from samplemind.audio.network import network, shares
from samplemind.audio.onsets import ONSET_RATE, Onsets
from samplemind.audio.pulse import Pulse
from samplemind.domain.analysis import Tempo

SLOWEST, FASTEST = 48.0, 225.0
"""Beats a minute that are looked for."""

_RATIOS = np.array([1 / 6, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4, 6, 8, 16])
_BAND_RATIOS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 8])
"""Multiples of a candidate's period at which the autocorrelation is looked at, of the whole and of
each band alone: kick and snare alternate with the beat, hats divide it."""

_HARMONICS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2, 3, 4, 6, 8])
_BAND_HARMONICS = np.array([1 / 4, 1 / 3, 1 / 2, 3 / 4, 1, 3 / 2, 2, 3, 4, 8])
"""Multiples of a candidate's frequency at which the spectrum of the onsets is looked at."""

_CENTRE = 110.0
_PEAKS = 12
_NEARBY = np.linspace(-0.02, 0.02, 17)
_SAME = 0.012
_LOOP_BEATS = np.array([2, 4, 8, 16, 32, 64, 3, 6, 12, 24, 48])
_BINARY = 6
"""So many of the counts are powers of two."""

_SLOW, _NEARLY = 75.0, 0.6
"""Music is counted so slowly only where that is plainly likelier than twice as fast."""

_EXACT = 0.005
_ROUND_BPM = 0.05
_USUAL_BPM = 70.0, 180.0
_USUAL_CENTRE = 125.0
_ROUND_SECONDS = 0.002
_BY_LENGTH = 0.5
"""Confidence in a tempo that nothing but a loop's length speaks for."""


def tempo(onsets: Onsets, loop_lengths: Sequence[float]) -> Tempo | None:
    """Tempo from the repetition of the onsets, or None where there is no pulse.

    `loop_lengths` are the seconds that the sound may last if it is a loop, none if it is not: a
    loop is usually a whole number of beats, and then its length gives the tempo more exactly than
    any onset.

    Candidates are the peaks of the autocorrelation. Which of them is the beat, and not its half or
    double, a small conditional network tells from the autocorrelations and spectra of the whole, of
    three bands and of the notes at simple ratios; the confidence is its share for the best.
    """
    pulse = Pulse(onsets)
    lengths = loop_lengths or (None,)
    sets = [candidates(pulse.correlation, seconds) for seconds in lengths]
    bpms = np.concatenate(sets)
    if not len(bpms):
        return tempo_of_length(loop_lengths)
    facts = [evidence(pulse, each, seconds) for each, seconds in zip(sets, lengths, strict=True)]
    share = shares(network("tempo").utility(np.concatenate(facts))[:, 0])
    order = np.argsort(-share)
    best = _counted(bpms, share)
    if not is_felt(pulse.correlation, best):
        return tempo_of_length(loop_lengths)
    exact = np.array([count * 60 / seconds for seconds in loop_lengths for count in _LOOP_BEATS])
    near = exact[np.abs(exact / best - 1) < _EXACT]
    best = float(near[0]) if len(near) else _refine(pulse.correlation, best)
    same = np.abs(bpms / best - 1) < 0.03
    alternatives: list[float] = []
    for other in bpms[order]:
        if all(abs(other / known - 1) > 0.03 for known in (best, *alternatives)):
            alternatives.append(round(float(other), 2))
    return Tempo(
        bpm=round(best, 2),
        confidence=float(min(1.0, share[same].sum())),
        alternatives=tuple(alternatives[:3]),
    )


def _counted(bpms: np.ndarray, share: np.ndarray) -> float:
    """The likeliest; of a slow tempo and its double that are nearly as likely, the double."""
    best = int(np.argmax(share))
    doubles = np.flatnonzero(np.abs(bpms / bpms[best] / 2 - 1) < _SAME)
    if bpms[best] < _SLOW and len(doubles):
        double = int(doubles[np.argmax(share[doubles])])
        if share[double] > _NEARLY * share[best]:
            best = double
    return float(bpms[best])


def tempo_of_length(loop_lengths: Sequence[float]) -> Tempo | None:
    """The round tempo at which a loop without a pulse is 4, 8 … 64 beats long, as pads are; None
    where there is none. Lengths of whole and half seconds are any sound's and tell nothing."""
    bpms = np.array([60 * 2.0**power / it for it in loop_lengths for power in range(2, 7)])
    lengths = np.repeat(loop_lengths, 5)
    is_told = np.abs(2 * lengths - np.round(2 * lengths)) > 2 * _ROUND_SECONDS
    is_usual = (bpms >= _USUAL_BPM[0]) & (bpms <= _USUAL_BPM[1])
    found = bpms[is_told & is_usual & (np.abs(bpms - np.round(bpms)) < _ROUND_BPM)]
    if not len(found):
        return None
    order = np.argsort(np.abs(np.log2(found / _USUAL_CENTRE)))
    best, *others = (round(float(bpm), 2) for bpm in found[order])
    return Tempo(best, _BY_LENGTH, tuple(others))


def candidates(correlation: np.ndarray, loop_seconds: float | None) -> np.ndarray:
    """Beats a minute `(n,)` worth a closer look; those that fit a loop's length come exact."""
    grid = SLOWEST * 2 ** np.linspace(0, np.log2(FASTEST / SLOWEST), 500)
    comb = at_multiples(correlation, grid, np.array([1, 2, 4])) @ np.array([1, 1, 0.5])
    inner = np.flatnonzero((comb[1:-1] >= comb[:-2]) & (comb[1:-1] >= comb[2:])) + 1
    best = grid[inner[np.argsort(-comb[inner])][:_PEAKS]]
    found = np.concatenate([best, 2 * best[:4], best[:4] / 2])
    exact = np.zeros(0)
    if loop_seconds is not None:
        exact = _LOOP_BEATS * 60 / loop_seconds
        found = found[~(np.abs(found[:, None] / exact - 1) < 0.02).any(axis=1)]
    # What is asked of many beats wants a period as exact as they.
    nearby = found[:, None] * (1 + _NEARBY)
    comb = at_multiples(correlation, nearby.ravel(), np.array([1, 2, 3, 4, 8])).sum(axis=1)
    nearest = np.argmax(comb.reshape(nearby.shape), axis=1)
    kept: list[float] = []
    for bpm in (*exact, *nearby[np.arange(len(found)), nearest]):
        if SLOWEST <= bpm <= FASTEST and all(abs(bpm / other - 1) > _SAME for other in kept):
            kept.append(float(bpm))
    return np.array(kept)


def evidence(pulse: Pulse, bpms: np.ndarray, loop_seconds: float | None) -> np.ndarray:
    """What speaks for each candidate, `(n, traits)`: repetition and rates at simple ratios, of the
    whole and by voice; three terms for the octave of the tempo itself; how a loop's length fits;
    how many onsets a beat would have; and the colour of the whole, which is the same for all."""
    octave = np.log2(bpms / _CENTRE)
    return np.column_stack(
        [
            pulse.repeats(bpms, _RATIOS),
            pulse.band_repeats(bpms, _BAND_RATIOS),
            pulse.rates(bpms, _HARMONICS),
            pulse.band_rates(bpms, _BAND_HARMONICS),
            octave,
            octave**2,
            np.abs(octave) ** 3,
            loop_fit(bpms, loop_seconds),
            pulse.density(bpms),
            np.tile(pulse.colour(), (len(bpms), 1)),
        ]
    )


def loop_fit(bpms: np.ndarray, loop_seconds: float | None) -> np.ndarray:
    """`(n, 5)`: whether a loop would be 2, 4, 8 … or 3, 6, 12 … beats long, whether it then has a
    round tempo, octaves of the number of beats, and whether it is a loop at all."""
    if loop_seconds is None:
        return np.zeros((len(bpms), 5))
    fits = is_exact(bpms, loop_seconds)
    binary, ternary = fits[:, :_BINARY].any(axis=1), fits[:, _BINARY:].any(axis=1)
    roundness = np.exp(-np.square((bpms - np.round(bpms)) / _ROUND_BPM)) * (binary | ternary)
    beats = np.log2(loop_seconds * bpms / 60)
    return np.column_stack([binary, ternary, roundness, beats, np.ones(len(bpms))])


def is_exact(bpms: np.ndarray, loop_seconds: float) -> np.ndarray:
    """`(n, counts)` bool: the loop is that many beats of the candidate long."""
    return np.abs(bpms[:, None] * loop_seconds / 60 / _LOOP_BEATS - 1) < _EXACT


def at_multiples(correlation: np.ndarray, bpms: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Autocorrelation `(n, ratios)` around multiples of each period; 0 beyond what is known."""
    # An onset is a few frames wide; so is what counts as agreement.
    smooth = np.maximum.reduce([correlation, np.roll(correlation, 1), np.roll(correlation, -1)])
    lags = np.outer(60 * ONSET_RATE / bpms, ratios)
    values = np.interp(lags, np.arange(len(smooth)), smooth)
    return np.where(lags < len(correlation) - 1, values, 0.0)


def is_felt(correlation: np.ndarray, bpm: float) -> bool:
    """Whether the onsets repeat themselves with the beat more than unrelated ones would.

    What those reach by chance shrinks with the root of the sound's length.
    """
    clarity = at_multiples(correlation, np.array([bpm]), np.array([1 / 2, 1, 2, 4])).max()
    return bool(clarity >= 0.05 + 3.0 / np.sqrt(4 / 3 * len(correlation)))


def _refine(correlation: np.ndarray, bpm: float) -> float:
    """The same pulse, measured over as many beats as stay in step."""
    period = 60 * ONSET_RATE / bpm
    beats = 1
    while (lag := round(beats * period)) < len(correlation) - 8 and beats <= 64:
        # The error of the last estimate doubles with the number of beats.
        reach = 2 if beats > 2 else max(2, round(0.02 * lag))
        window = correlation[lag - reach : lag + reach + 1]
        top = lag - reach + int(np.argmax(window))
        left, centre, right = correlation[top - 1 : top + 2]
        bend = left - 2 * centre + right
        # A beat need not resemble the next one; the bars do.
        if centre > 0.05 and bend < 0:
            period = (top + 0.5 * (left - right) / bend) / beats
        beats *= 2
    return float(60 * ONSET_RATE / period)
