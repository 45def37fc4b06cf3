"""How a sound is, in words."""

import numpy as np
import pytest
from numpy.random import default_rng

from samplemind.audio.description import description
from samplemind.audio.hearing import Hearing, names
from samplemind.audio.labels import labels, may_be
from samplemind.domain.analysis import SampleKind
from tests.audio.conftest import features_of
from tests.sounds import RATE

T = np.arange(4 * RATE) / RATE
NOISE = default_rng(0).standard_normal(len(T))
HUM = sum(np.sin(2 * np.pi * 110 * n * T) / n for n in (1, 2, 3, 4))
HISS = np.diff(NOISE, n=2, append=[0, 0])
ROOM = 0.1 * NOISE * np.exp(-2.5 * T)
BLOW = NOISE * np.exp(-60 * T)


def words(y: np.ndarray) -> set[str]:
    return {label.name for label in description(features_of(y))}


@pytest.mark.parametrize(
    ("word", "so", "not_so"),
    [
        ("bright", HISS, HUM),
        ("dark", HUM, HISS),
        ("tonal", HUM, NOISE),
        ("noisy", NOISE, HUM),
        ("warm", HUM, HISS),
        ("short", BLOW[: RATE // 2], NOISE),
        ("long", HUM, BLOW),
        ("punchy", BLOW[:RATE], NOISE * np.minimum(1, T) * np.exp(-T)),
        ("dry", BLOW[:RATE], BLOW + ROOM),
        ("wet", BLOW + ROOM, BLOW),
    ],
)
def test_a_word_is_said_where_it_holds(word: str, so: np.ndarray, not_so: np.ndarray) -> None:
    assert word in words(so)
    assert word not in words(not_so)


def test_words_come_after_names() -> None:
    features = features_of(BLOW[:RATE])
    shares = np.full(len(names()), 0.01)
    shares[names().index("snare")] = 0.6
    found = labels(features, SampleKind.ONE_SHOT, Hearing(np.zeros(96), shares, np.zeros(122)))
    assert found[0].name == "snare"
    assert "short" in [label.name for label in found]
    assert [label.score for label in found] == sorted((x.score for x in found), reverse=True)


def test_what_is_like_nothing_is_other() -> None:
    flat = np.full(len(names()), 1 / len(names()))
    hearing = Hearing(np.zeros(96), flat, np.zeros(122))
    found = labels(features_of(NOISE), SampleKind.ONE_SHOT, hearing)
    assert found[0].name == "other"
    assert found[0].score == max(label.score for label in found)


@pytest.mark.parametrize("kind", list(SampleKind))
def test_names_suit_the_kind(kind: SampleKind) -> None:
    possible = {name for name in names() if may_be(name, kind)}
    assert ("kick" in possible) == (kind is SampleKind.ONE_SHOT)
    assert ("drum loop" in possible) == (kind is not SampleKind.ONE_SHOT)
    assert "vocal" in possible
