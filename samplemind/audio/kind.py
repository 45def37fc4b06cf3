"""One-shot, loop or track."""

import numpy as np

from samplemind.audio.features import ENVELOPE_HOP, ONSET_RATE, SAMPLE_RATE, Features
from samplemind.domain.analysis import SampleKind

TRACK_SECONDS = 45.0
"""From here on a sound is called a track, whatever it does: loops are a few bars long."""

ONE_SHOT_SECONDS = 0.6
"""Below this a sound is a one-shot: there is no room for two beats."""

_SILENT_LOOP_SECONDS = 10.0


def sample_kind(features: Features) -> SampleKind:
    """By length first, then by whether the sound happens once or goes on.

    A one-shot begins once and dies away: after its loudest moment little begins anew, and its end
    is far below its peak. A loop keeps starting sounds throughout and is still loud where it is
    cut to be repeated. Silence is told by its length only.
    """
    if features.seconds >= TRACK_SECONDS:
        return SampleKind.TRACK
    if features.seconds < ONE_SHOT_SECONDS or features.is_silent:
        return SampleKind.ONE_SHOT
    return SampleKind.LOOP if repetition(features) > 0 else SampleKind.ONE_SHOT


def traits(features: Features) -> np.ndarray:
    """`(7,)`: log seconds, log onsets, onsets a second, share of the strong ones in the later half,
    level of the last quarter and of the last 5 % below the loudest (dB / 20), and the steadiness
    of the level (median over maximum).
    """
    strength = features.onset_strength[features.onset_frames]
    times = features.onset_frames / ONSET_RATE
    strong = strength > 0.25 * strength.max(initial=0)
    late = strength[strong & (times > features.seconds / 2)].sum() / max(strength.sum(), 1e-9)
    size = max(1, int(0.05 * SAMPLE_RATE / ENVELOPE_HOP))
    power = np.square(features.envelope)
    level = np.add.reduceat(power, np.arange(0, len(power), size)) / size
    level = 10 * np.log10(np.maximum(level / level.max(), 1e-8))
    return np.array(
        [
            np.log2(features.seconds),
            np.log2(1 + strong.sum()),
            strong.sum() / features.seconds,
            late,
            level[-max(1, len(level) // 4) :].max() / 20,
            level[-max(1, len(level) // 20) :].max() / 20,
            np.median(level) / 20,
        ]
    )


def repetition(features: Features) -> float:
    """Above 0 where the sound goes on rather than happens once."""
    seconds, strong, rate, late, last_quarter, end, median = traits(features)
    return late - 0.1
