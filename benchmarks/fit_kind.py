"""The weights of samplemind.audio.kind: see fit_rhythm.py."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.regression import fit
from samplemind.audio.features import Features
from samplemind.audio.kind import Model, products
from samplemind.audio.spectrum import SAMPLE_RATE

PENALTY = 10.0
RARITY = 0.25
"""The rarer kind counts more, by this power of how rare it is."""


class KindCase(NamedTuple):
    source: str
    traits: np.ndarray
    is_loop: bool


def kind_model(cases: list[KindCase]) -> Model:
    """Prints what is right on sources left out, and returns the model of all."""
    raw = np.array([case.traits for case in cases])
    centre, scale = raw.mean(axis=0), raw.std(axis=0) + 1e-3
    x = np.array([products(each) for each in (raw - centre) / scale])
    y = np.array([case.is_loop for case in cases]).astype(int)
    names = np.array([case.source for case in cases])

    def fitted(which: np.ndarray) -> tuple[np.ndarray, float]:
        # The difference of the two rows is the weight of being a loop.
        held = np.bincount(y[which], minlength=2)
        count = (which.sum() / 2 / held)[y[which]] ** RARITY
        weights, bias = fit(x[which], y[which], count, 2, PENALTY)
        return weights[1] - weights[0], bias[1] - bias[0]

    for source in sorted({*names}):
        out = names == source
        weights, bias = fitted(~out)
        right = (x[out] @ weights + bias > 0) == y[out]
        print(f"kind, {source} left out: {right.mean():.3f} of {out.sum()}")
    weights, bias = fitted(np.ones(len(y), bool))
    return Model(centre, scale, weights, np.array(bias))


def held_tones(count: int) -> Iterator[Features]:
    """Notes that go on as they began until they are cut: loud at the end, and yet no loops."""
    source = np.random.default_rng(0)
    for _ in range(count):
        seconds = float(np.exp(source.uniform(np.log(0.7), np.log(10))))
        if source.random() < 0.3:
            seconds = max(1.0, round(seconds))
        t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        hertz, partials = source.uniform(50, 600), int(source.choice([1, 1, 5, 12]))
        waves = [np.sin(2 * np.pi * k * hertz * t) / k for k in range(1, partials + 1)]
        y = np.sum(waves, axis=0) * (1 + 0.2 * np.sin(2 * np.pi * source.uniform(0, 6) * t))
        yield Features(y.astype(np.float32), seconds)
