"""Where to cut a sound so that it repeats without a click and without a jump of the beat."""

import numpy as np

from samplemind.audio.claims import Claims
from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.kind import loop_lengths
from samplemind.audio.onsets import ONSET_RATE
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.analysis import LoopPoints, SampleKind, Tempo, TimeSignature

_WHOLE = 0.005
"""Seconds by which a sound may miss whole beats and still be cut to them: nobody hears less."""

_ROUND_BPM = 0.3
"""Beats a minute by which onsets miss a tempo; loops are made at whole numbers."""

_SURE = 0.8
_USUAL_BAR = 4
"""Beats, unless another metre is surer than that."""

_LEAD = 0.002
"""Seconds of a sound's beginning that are kept before it is heard."""

_PICKUP = 0.25
"""Beats before the first bar from which on they are a pickup."""

_BEFORE_ATTACK, _LATE = 0.04, 0.01
"""Seconds around a beat in which its attack begins: beats lie where most begins."""

_SHIFT = 0.005
"""Seconds by which both ends may move together to where the waveform meets itself."""

_SHORTEST = 0.02
"""Seconds that a loop from the file has to last."""

_USUAL_SHARE = 99.9
"""Percentile of how suddenly a sound changes anyway."""

_INAUDIBLE = 0.003
"""Of the peak."""

_CROSSFADE = 0.005


def loop_points(
    features: Features,
    kind: SampleKind,
    tempo: Tempo | None,
    metre: TimeSignature | None,
    downbeats: np.ndarray | None,
    claims: Claims,
) -> LoopPoints | None:
    """None for what is no loop, or has no beats, unless its file holds loop points that are right.

    A file that is cut to whole beats repeats as it is. Of another, whole bars are taken from the
    first downbeat on: silence and a pickup before it are left out, and the tail after the last bar
    in which something begins. Both ends then move together, by 5 ms at most, to where the waveform
    goes on best. Where it does not, a crossfade is needed.
    """
    period = 60 / tempo.bpm if tempo else None
    if claims.loop and _is_right(claims.loop, kind, period):
        start, end = claims.loop
        beats = round((end - start) / period) if period and kind is SampleKind.LOOP else None
        return _points(features, start, end, beats, metre)
    if kind is not SampleKind.LOOP or tempo is None or period is None:
        return None
    for seconds in loop_lengths(features):
        beats = round(seconds / period)
        if beats and abs(seconds - beats * period) < _WHOLE:
            return _points(features, 0.0, seconds, beats, metre)
    # Its length does not say it exactly, so what it was made at does.
    period = 60 / round(tempo.bpm) if abs(tempo.bpm - round(tempo.bpm)) < _ROUND_BPM else period
    bar = _USUAL_BAR
    if metre and metre.confidence > _SURE:
        bar = metre.beats
    else:
        downbeats = None
    start = _beginning(features, downbeats, period)
    beats = _whole_beats(features, start, period, bar)
    if not beats:
        return None
    start, end = _meeting(features, start, start + beats * period)
    return _points(features, start, end, beats, metre)


def _is_right(loop: tuple[float, float], kind: SampleKind, period: float | None) -> bool:
    """A loop of music has to keep the beat; that of a held note may have any length."""
    length = loop[1] - loop[0]
    if kind is not SampleKind.LOOP or period is None:
        return length >= _SHORTEST
    beats = round(length / period)
    return beats > 0 and abs(length - beats * period) < _WHOLE


def _beginning(features: Features, downbeats: np.ndarray | None, period: float) -> float:
    """Seconds: the first downbeat where something lies before it, else where the sound begins."""
    begins = max(0.0, features.begins - _LEAD)
    if downbeats is None or not len(downbeats) or downbeats[0] - begins < _PICKUP * period:
        return begins
    first, last = (
        int((downbeats[0] + offset) * SAMPLE_RATE / ENVELOPE_HOP)
        for offset in (-_BEFORE_ATTACK, _LATE)
    )
    quietest = max(first, 0) + int(np.argmin(features.envelope[max(first, 0) : last]))
    return quietest * ENVELOPE_HOP / SAMPLE_RATE


def _whole_beats(features: Features, start: float, period: float, bar: int) -> int:
    """Bars up to the last in which something begins, or as many as there is time for."""
    room = int((features.seconds + _WHOLE - start) / period)
    onsets = features.onsets.frames / ONSET_RATE - start
    # What falls on the first beat of another bar, and nothing after it, is how the sound ends.
    last = float(onsets[-1]) / period - 0.5 if len(onsets) else 0.0
    bars = min(max(int(last // bar), 0) + 1, room // bar)
    return bars * bar if bars else room


def _meeting(features: Features, start: float, end: float) -> tuple[float, float]:
    """Both ends moved by the same, so that the length stays whole beats."""
    y, reach = features.y, int(_SHIFT * SAMPLE_RATE)
    first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
    shifts = np.arange(-min(reach, first), min(reach, len(y) - last) + 1)
    if not len(shifts):
        return start, end
    jump = _jumps(y, first + shifts, last + shifts)
    best = int(shifts[np.argmin(jump + 1e-3 * _INAUDIBLE * np.abs(shifts))])
    return max(0.0, start + best / SAMPLE_RATE), end + best / SAMPLE_RATE


def _points(
    features: Features, start: float, end: float, beats: int | None, metre: TimeSignature | None
) -> LoopPoints:
    y = features.y
    first, last = round(start * SAMPLE_RATE), min(round(end * SAMPLE_RATE), len(y))
    jump = float(_jumps(y, np.array([first]), np.array([last]))[0])
    if first == 0 and last == len(y):
        # What the channels do where it matters most may cancel out in their mean.
        jump = max(jump, features.seam)
    change = np.abs(np.diff(y[first:last], 2))
    usual = float(np.percentile(change, _USUAL_SHARE)) if len(change) else 0.0
    bars, rest = divmod(beats, metre.beats) if beats and metre else (None, 0)
    return LoopPoints(
        start_seconds=start,
        end_seconds=min(end, features.seconds),
        beats=beats,
        bars=None if rest else bars,
        crossfade_seconds=_CROSSFADE if jump > max(usual, _INAUDIBLE) else None,
    )


def _jumps(y: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """How far the sample at each `first` lies from where those before each `last` lead to."""
    led_to = 2 * y[np.maximum(last - 1, 0)] - y[np.maximum(last - 2, 0)]
    return np.abs(y[np.minimum(first, len(y) - 1)] - led_to)
