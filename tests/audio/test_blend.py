"""Several sounds as one point to search from."""

import numpy as np
import pytest

from samplemind.audio.blend import blend

_A, _B, _C = (tuple(row) for row in np.eye(3).tolist())


def test_of_one_sound_is_the_sound() -> None:
    assert blend([_A]) == _A


def test_lies_between_what_is_liked() -> None:
    point = np.array(blend([_A, _B]))
    assert point @ _A == pytest.approx(point @ _B)
    assert np.linalg.norm(point) == pytest.approx(1)
    assert point @ _A > 0.7


def test_moves_away_from_what_is_not_liked() -> None:
    point = np.array(blend([_A, _B], [_B, _C]))
    assert point @ _A > point @ _B > 0 > point @ _C


def test_what_is_liked_weighs_more() -> None:
    """The same sound in another file, liked and not liked: it is still what is sought."""
    assert blend([_A], [_A]) == pytest.approx(_A)


def test_as_many_as_there_are_weigh_as_one() -> None:
    assert blend([_A], [_B] * 20) == pytest.approx(blend([_A], [_B]))
