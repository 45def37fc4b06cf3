"""Where bars begin."""

import numpy as np
import pytest

from samplemind.audio.downbeats import downbeat_times
from samplemind.domain.analysis import AnalysisLevel, SampleKind, TimeSignature
from tests.audio.conftest import Analyze, features_of
from tests.sounds import RATE, drum_loop, hat, kick, note, place, snare

BEAT = 0.5
FOUR = TimeSignature(4, 4, 0.9)


def bars(count: int, begin: float, beats: int = 4) -> np.ndarray:
    """A kick and a new chord on one, a snare on the backbeat, hats in eighths, after `begin`."""
    hits = []
    for beat in range(beats * count):
        at = begin + beat * BEAT
        hits += [(at, 0.2 * hat()), (at + BEAT / 2, 0.15 * hat())]
        if beat % beats == 0:
            root = (220.0, 174.6, 261.6, 196.0)[beat // beats % 4]
            chord = sum(
                (note(root * step, beats * BEAT, 2.0) for step in (1, 1.25, 1.5)), np.zeros(1)
            )
            hits += [(at, kick()), (at, 0.4 * chord)]
        elif beat % 2:
            hits.append((at, 0.6 * snare()))
    return place(hits, begin + beats * count * BEAT)


@pytest.mark.parametrize("pickup", [0, 1, 2, 3])
@pytest.mark.parametrize("beats", [3, 4])
def test_bars_begin_where_the_accents_are(pickup: int, beats: int) -> None:
    features = features_of(bars(8, pickup * BEAT, beats))
    found = downbeat_times(
        features,
        np.arange(8 * beats + pickup) * BEAT,
        TimeSignature(beats, 4, 0.9),
        SampleKind.TRACK,
    )
    assert found is not None
    # What comes before the first bar may hold one more.
    found = found[found >= pickup * BEAT - 0.01]
    assert found == pytest.approx((pickup + beats * np.arange(8)) * BEAT)


def test_a_beat_that_was_missed_moves_the_bars_once() -> None:
    features = features_of(bars(12, 0.0))
    beats = np.delete(np.arange(48) * BEAT, 22)
    found = downbeat_times(features, beats, FOUR, SampleKind.TRACK)
    assert found is not None
    assert found[-4:] == pytest.approx(np.arange(8, 12) * 4 * BEAT)
    assert found[:5] == pytest.approx(np.arange(5) * 4 * BEAT)


def test_they_are_some_of_the_beats(heard: Analyze) -> None:
    found = heard(drum_loop(120, 8))
    assert found.beats is not None
    assert found.downbeats is not None
    assert found.time_signature is not None
    assert set(found.downbeats) < set(found.beats)
    assert found.downbeats[0] < 0.03
    count = len(found.beats) / found.time_signature.beats
    assert len(found.downbeats) == pytest.approx(count, abs=1)


def test_none_without_bars(heard: Analyze) -> None:
    assert heard(drum_loop(120, 2)[: 3 * RATE]).downbeats is None
    assert heard(kick()).downbeats is None
    assert heard(drum_loop(120, 4), AnalysisLevel.STANDARD).downbeats is None
    features = features_of(bars(2, 0.0))
    assert downbeat_times(features, np.arange(3) * BEAT, FOUR, SampleKind.LOOP) is None
    five = TimeSignature(5, 4, 0.9)
    assert downbeat_times(features, np.arange(8) * BEAT, five, SampleKind.LOOP) is None
