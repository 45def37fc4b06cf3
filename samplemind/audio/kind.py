"""One-shot, loop or track."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from samplemind.audio.claims import NO_CLAIMS, Claims
from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.onsets import ONSET_RATE
from samplemind.audio.spectrum import SAMPLE_RATE, TINY
from samplemind.domain.analysis import SampleKind

TRACK_SECONDS = 28.0
"""From here on a sound is a track, whatever it does: a loop is at most 16 bars, as a rule less."""

ONE_SHOT_SECONDS = 0.6
"""Below this a sound is a one-shot: there is no room for two beats."""

_SILENT, _LOUD = 10 ** (-55 / 20), 10 ** (-30 / 20)
"""Of the peak."""

_CUT = int(0.012 * SAMPLE_RATE)
"""Samples; what falls from loud to silent within them was cut."""

_EDGE = 64
"""Samples at the end in which the resampler may ring."""

_PAUSE_SECONDS = 0.02

_SHARP = 0.08
"""Of the range of `Features.onset_bands`: 8 dB on average over the bands."""


_ROUND_BPM = 0.03
_USUAL_BPM = 70.0, 180.0
"""Loops are made at whole numbers of beats a minute, so their lengths give them away."""

_ROUND_SECONDS = 0.002
"""A length of whole or half seconds is any sound's, and gives nothing away."""


class Model(NamedTuple):
    """A logistic regression on traits and their products, fitted by benchmarks/fit_rhythm.py.

    `centre, scale: (10,)`, `weights: (65,)`, `bias: ()`.
    """

    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def loop_odds(self, traits: np.ndarray) -> float:
        """Their logarithm: above 0 it is a loop rather than a one-shot."""
        x = products((traits - self.centre) / self.scale)
        return float(x @ self.weights + self.bias)


@cache
def model() -> Model:
    with files("samplemind.audio").joinpath("kind.npz").open("rb") as file, np.load(file) as data:
        return Model(**data)


def sample_kind(features: Features, claims: Claims = NO_CLAIMS) -> SampleKind:
    """By length first, then by whether the sound happens once or goes on.

    A one-shot begins once and dies away. A loop keeps beginning anew, with a pulse, is still loud
    where it is cut to be repeated, and its length fits a round tempo. Silence is told by its length
    only, and so is a one-shot. What the file claims counts beside.
    """
    if features.seconds >= TRACK_SECONDS:
        is_loop = claims.is_long_loop(features.seconds) and not features.is_silent
        return SampleKind.LOOP if is_loop else SampleKind.TRACK
    if features.seconds < ONE_SHOT_SECONDS:
        return SampleKind.ONE_SHOT
    if features.is_silent:
        return SampleKind.ONE_SHOT
    odds = model().loop_odds(traits(features)) + claims.loop_odds(features.seconds)
    return SampleKind.LOOP if odds > 0 else SampleKind.ONE_SHOT


def loop_lengths(features: Features) -> tuple[float, ...]:
    """Seconds that a loop may last: its file, and up to where it was cut if silence follows.

    A sound that died away before the silence tells nothing by its end.
    """
    # What was silence lies beside zero if the sound before it had an offset.
    rest = np.median(features.y[-int(_PAUSE_SECONDS * SAMPLE_RATE) :])
    heard = np.flatnonzero(np.abs(features.y[:-_EDGE] - rest) > _SILENT)
    if not len(heard):
        return (features.seconds,)
    end = int(heard[-1]) + 1
    was_cut = np.abs(features.y[max(0, end - _CUT) : end]).max() > _LOUD
    if was_cut and features.seconds - end / SAMPLE_RATE > _PAUSE_SECONDS:
        return (features.seconds, end / SAMPLE_RATE)
    return (features.seconds,)


def traits(features: Features) -> np.ndarray:
    """`(10,)`: octaves of the length over a second, share of what begins that does so in the later
    half, when the last begins (0..1 of the length), how far the onsets repeat themselves after 0.15
    to 2.5 s (their autocorrelation), octaves of the number of sharp onsets, the level of the last
    quarter, how well the length fits a round tempo, the level of the end, octaves of the number of
    all onsets, and the median level: levels against the loudest moment, in units of 20 dB.
    """
    begins = sharp_onsets(features)
    rise = features.onsets.bands.mean(axis=1)[begins]
    times = begins / ONSET_RATE
    late = rise[times > 0.45 * features.seconds].sum() / max(float(rise.sum()), TINY)
    pulse = features.onsets.correlation[int(0.15 * ONSET_RATE) : int(2.5 * ONSET_RATE)]
    step = int(0.05 * SAMPLE_RATE / ENVELOPE_HOP)
    power = np.square(features.envelope)
    level = np.add.reduceat(power, np.arange(0, len(power), step))
    level /= max(float(level.max()), TINY)
    return np.array(
        [
            np.log2(features.seconds),
            late,
            times[-1] / features.seconds if len(times) else 0.0,
            pulse.max(initial=0.0),
            np.log2(len(begins) + 0.5),
            _decibels(level[-max(1, len(level) // 4) :].max()),
            roundness(features.seconds),
            _decibels(level[-3:].max()),
            np.log2(len(features.onsets.frames) + 1),
            _decibels(np.median(level)),
        ]
    )


def roundness(seconds: float) -> float:
    """0..1: how near 4, 8 … 64 beats of that length are to a whole number a minute."""
    if abs(seconds - round(2 * seconds) / 2) < _ROUND_SECONDS:
        return 0.0
    bpms = 60 * 2.0 ** np.arange(2, 7) / seconds
    bpms = bpms[(bpms >= _USUAL_BPM[0]) & (bpms < _USUAL_BPM[1])]
    return float(np.exp(-np.square((bpms - np.round(bpms)) / _ROUND_BPM)).max(initial=0.0))


def products(x: np.ndarray) -> np.ndarray:
    """`(65,)`: the ten values, and the product of each two."""
    first, second = np.triu_indices(len(x))
    return np.concatenate([x, x[first] * x[second]])


def _decibels(power: float) -> float:
    return 0.5 * float(np.log10(max(power, 1e-8)))


def sharp_onsets(features: Features) -> np.ndarray:
    frames = features.onsets.frames
    rise = features.onsets.bands.mean(axis=1)[frames]
    return frames[rise > _SHARP]
