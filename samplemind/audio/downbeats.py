"""Where the bars begin."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from samplemind.audio.features import Features
from samplemind.audio.onsets import ONSET_RATE
from samplemind.audio.spectrum import SAMPLE_RATE, TINY
from samplemind.audio.timbre import HOP as TIMBRE_HOP
from samplemind.audio.tonal import HOP as TONAL_HOP
from samplemind.domain.analysis import SampleKind, TimeSignature

BARS = (2, 3, 4)
"""Beats of the bars that are known."""

_AROUND = 4
"""Half beats before and after a beat at which onsets are looked at."""

_REACH = 3
"""Frames by which an onset may miss its moment."""

_SPANS = (1, 2)
"""Beats before and after a beat that are compared."""

_GROUPS = 8
"""Bands of the spectrum whose change is looked at."""

_SLIP = 8.0
"""Logarithm of the odds against a bar with another number of beats: mostly a beat was missed."""

_LOOP_BEGINS = 3.0
"""Logarithm of the odds that a loop begins with a bar rather than a pickup."""

_AT_ONCE = 0.25
"""Beats after it is first heard within which a loop's first beat lies if it begins with one."""


class Model(NamedTuple):
    """Conditional logits fitted by benchmarks/fit_downbeats.py, a row for each of BARS.

    `weights: (3, 33)`.
    """

    weights: np.ndarray


@cache
def model() -> Model:
    path = files("samplemind.audio").joinpath("downbeats.npz")
    with path.open("rb") as file, np.load(file) as data:
        return Model(**data)


def downbeat_times(
    features: Features, beats: np.ndarray, metre: TimeSignature, kind: SampleKind
) -> np.ndarray | None:
    """Seconds `(bars,)` of those `beats: (n,)` with which bars begin; None for less than a bar.

    How likely each beat begins a bar, by what is struck and what changes around it, is summed along
    the likeliest way through the bars (Viterbi), which may slip where a beat was missed.
    """
    if metre.beats not in BARS or len(beats) < metre.beats:
        return None
    row = BARS.index(metre.beats)
    odds = accents(features, beats) @ model().weights[row]
    # What a beat is in comparison with the others, so that a bar too many gains nothing.
    odds -= odds.mean()
    period = (beats[-1] - beats[0]) / (len(beats) - 1)
    if kind is SampleKind.LOOP and beats[0] - features.begins < _AT_ONCE * period:
        odds[0] += _LOOP_BEGINS
    return beats[_positions(odds, metre.beats) == 0]


def _positions(odds: np.ndarray, bar: int) -> np.ndarray:
    """`(beats,)`: the place of each in its bar, from the odds `(beats,)` that it is the first."""
    came_from = np.zeros((len(odds), bar), int)
    score = np.zeros(bar)
    score[0] = odds[0]
    for beat in range(1, len(odds)):
        on = np.roll(score, 1)
        best = int(np.argmax(score))
        slips = score[best] - _SLIP > on
        came_from[beat] = np.where(slips, best, np.roll(np.arange(bar), 1))
        score = np.where(slips, score[best] - _SLIP, on)
        score[0] += odds[beat]
    at = int(np.argmax(score))
    positions = np.empty(len(odds), int)
    for beat in range(len(odds) - 1, -1, -1):
        positions[beat] = at
        at = came_from[beat, at]
    return positions


def accents(features: Features, beats: np.ndarray) -> np.ndarray:
    """`(beats, 33)`: what begins at each beat and around it, and how much changes with it."""
    halves = np.empty(2 * len(beats) - 1)
    halves[::2] = beats
    halves[1::2] = (beats[1:] + beats[:-1]) / 2
    bands = features.onsets.bands
    reached = np.lib.stride_tricks.sliding_window_view(
        np.pad(bands, ((_REACH, _REACH), (0, 0))), 2 * _REACH + 1, axis=0
    ).max(axis=-1)
    frames = np.minimum(np.round(halves * ONSET_RATE).astype(int), len(reached) - 1)
    struck = reached[frames]
    struck = np.sqrt(struck / np.maximum(np.percentile(struck, 95, axis=0), TINY))
    padded = np.pad(struck, ((_AROUND, _AROUND), (0, 0)))
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1, axis=0)[::2]
    chroma = _beat_means(features.tonal.chroma, beats * SAMPLE_RATE / TONAL_HOP)
    log = np.log(features.timbre.mel.reshape(-1, _GROUPS, 128 // _GROUPS).mean(axis=2) + 1e-6)
    hop = TIMBRE_HOP * round(len(features.y) / TIMBRE_HOP / len(log))
    colour = _beat_means(log, beats * SAMPLE_RATE / hop)
    changes = [_change(chroma, span, angle=True) for span in _SPANS]
    changes += [_change(colour, span, angle=False) for span in _SPANS]
    changes = [change / max(float(change.mean()), TINY) for change in changes]
    rises = [_rise(colour, span) for span in _SPANS]
    return np.column_stack([around.reshape(len(beats), -1), *changes, *rises])


def _beat_means(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Mean of the rows from each beat to the next; the last one ends with the sound."""
    edges = np.append(np.round(at), len(rows))
    total = np.vstack(
        [np.zeros_like(rows[:1], np.float64), np.cumsum(rows, axis=0, dtype=np.float64)]
    )
    first = np.clip(edges[:-1], 0, len(rows) - 1).astype(int)
    last = np.clip(np.maximum(edges[1:], edges[:-1] + 1), 1, len(rows)).astype(int)
    return (total[last] - total[first]) / (last - first)[:, None]


def _mean_around(rows: np.ndarray, span: int) -> tuple[np.ndarray, np.ndarray]:
    total = np.pad(np.cumsum(rows, axis=0), ((1, 0), (0, 0)))
    at = np.arange(len(rows))
    after, before = np.minimum(at + span, len(rows)), np.maximum(at - span, 0)
    return (
        (total[after] - total[at]) / (after - at)[:, None],
        (total[at] - total[before]) / np.maximum(at - before, 1)[:, None],
    )


def _change(rows: np.ndarray, span: int, *, angle: bool) -> np.ndarray:
    after, before = _mean_around(rows, span)
    if angle:
        norms = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
        change = 1 - np.einsum("ij,ij->i", after, before) / np.maximum(norms, TINY)
    else:
        change = np.linalg.norm(after - before, axis=1)
    # Nothing lies before the first.
    change[0] = change[1:].mean() if len(change) > 1 else 0.0
    return change


def _rise(rows: np.ndarray, span: int) -> np.ndarray:
    after, before = _mean_around(rows, span)
    rise = (after - before).mean(axis=1)
    rise[0] = 0
    return rise / max(float(np.abs(rise).mean()), TINY)
