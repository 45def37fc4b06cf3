"""Why two sounds are alike."""

import numpy as np
import pytest

from samplemind.audio import EMBEDDING_DIMENSIONS
from samplemind.audio.reasons import SIZES, reasons
from samplemind.domain.analysis import AnalysisLevel
from tests.audio.conftest import Analyze
from tests.sounds import drum_loop, note


def vector(heard: Analyze, y: np.ndarray) -> tuple[float, ...]:
    return heard(y, AnalysisLevel.STANDARD).embedding or ()


def test_the_parts_are_the_whole() -> None:
    assert sum(SIZES.values()) == EMBEDDING_DIMENSIONS


def test_shares_add_up(heard: Analyze) -> None:
    a, b = vector(heard, note(220, 1)), vector(heard, drum_loop(120, 2))
    for shares in (reasons(a, a), reasons(a, b)):
        values = [shares.timbre, shares.envelope, shares.pitch, shares.rhythm]
        assert sum(values) == pytest.approx(1)
        assert min(values) >= 0


def test_another_note_has_less_of_the_pitch(heard: Analyze) -> None:
    seed, same, other = (vector(heard, note(hertz, 1)) for hertz in (220, 220.5, 311))
    assert reasons(seed, other).pitch < 0.5 * reasons(seed, same).pitch


def test_another_tempo_has_less_of_the_rhythm(heard: Analyze) -> None:
    seed, same, other = (vector(heard, drum_loop(bpm, 4)) for bpm in (120, 120.4, 97))
    assert reasons(seed, other).rhythm < 0.9 * reasons(seed, same).rhythm


def test_nothing_in_common() -> None:
    a = np.eye(1, EMBEDDING_DIMENSIONS)[0]
    assert reasons(tuple(a), tuple(-a)).timbre == 0
