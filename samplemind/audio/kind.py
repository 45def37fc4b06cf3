"""One-shot, loop or track."""

import numpy as np

from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.onsets import ONSET_RATE
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.analysis import SampleKind

TRACK_SECONDS = 28.0
"""From here on a sound is a track, whatever it does: a loop is at most 16 bars, as a rule less."""

ONE_SHOT_SECONDS = 0.6
"""Below this a sound is a one-shot: there is no room for two beats."""

# A logistic regression on the traits below, fitted by benchmarks/fit_rhythm.py.
_WEIGHTS = np.array([-0.57, -1.52, 2.14, 2.78, 1.32, 2.28])
_BIAS = -2.96

_SILENT, _LOUD = 10 ** (-60 / 20), 10 ** (-30 / 20)
"""Of the loudest moment."""

_CUT_STEPS = 4
"""Of ENVELOPE_HOP, 12 ms: what falls from loud to silent within them was cut."""

_PAUSE_SECONDS = 0.02

_SHARP = 0.08
"""Of the range of `Features.onset_bands`: 8 dB on average over the bands."""


def sample_kind(features: Features) -> SampleKind:
    """By length first, then by whether the sound happens once or goes on.

    A one-shot begins once and dies away. A loop keeps beginning anew, with a pulse, and is still
    loud where it is cut to be repeated. Silence is told by its length only, and so is a one-shot.
    """
    if features.seconds >= TRACK_SECONDS:
        return SampleKind.TRACK
    if features.seconds < ONE_SHOT_SECONDS:
        return SampleKind.ONE_SHOT
    begins = sharp_onsets(features)
    if len(begins) < 2 or _WEIGHTS @ traits(features, begins) + _BIAS <= 0:
        return SampleKind.ONE_SHOT
    return SampleKind.LOOP


def loop_lengths(features: Features) -> tuple[float, ...]:
    """Seconds that a loop may last: its file, and up to where it was cut if silence follows.

    A sound that died away before the silence tells nothing by its end.
    """
    loudest = features.envelope.max(initial=0.0)
    sounding = np.flatnonzero(features.envelope > _SILENT * loudest)
    if not len(sounding):
        return (features.seconds,)
    last = int(sounding[-1])
    was_cut = features.envelope[max(0, last - _CUT_STEPS) : last + 1].max() > _LOUD * loudest
    begin = last * ENVELOPE_HOP
    heard = np.abs(features.y[begin : begin + ENVELOPE_HOP]) > _SILENT * loudest
    cut_seconds = (begin + int(np.flatnonzero(heard)[-1]) + 1) / SAMPLE_RATE
    if was_cut and features.seconds - cut_seconds > _PAUSE_SECONDS:
        return (features.seconds, cut_seconds)
    return (features.seconds,)


def traits(features: Features, begins: np.ndarray) -> np.ndarray:
    """`(6,)` for the onset frames `begins: (n,)`, n > 0: octaves of the length over a second, share
    of what begins that does so in the later half, when the last begins (0..1 of the length), how
    far the onsets repeat themselves after 0.15 to 2.5 s (their autocorrelation), octaves of their
    number, and the level of the last quarter against the loudest moment, in units of 20 dB.
    """
    rise = features.onsets.bands.mean(axis=1)[begins]
    times = begins / ONSET_RATE
    late = rise[times > 0.45 * features.seconds].sum() / rise.sum()
    pulse = features.onsets.correlation[int(0.15 * ONSET_RATE) : int(2.5 * ONSET_RATE)]
    step = int(0.05 * SAMPLE_RATE / ENVELOPE_HOP)
    power = np.square(features.envelope)
    level = np.add.reduceat(power, np.arange(0, len(power), step))
    last_quarter = level[-max(1, len(level) // 4) :].max() / level.max()
    return np.array(
        [
            np.log2(features.seconds),
            late,
            times[-1] / features.seconds,
            pulse.max(initial=0.0),
            np.log2(len(begins)),
            0.5 * np.log10(max(last_quarter, 1e-8)),
        ]
    )


def sharp_onsets(features: Features) -> np.ndarray:
    frames = features.onsets.frames
    rise = features.onsets.bands.mean(axis=1)[frames]
    return frames[rise > _SHARP]
