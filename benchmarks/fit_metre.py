"""The weights of samplemind.audio.metre: see fit_rhythm.py."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from benchmarks.fit_tempo import RECORDED
from benchmarks.regression import collection, counts, fit
from samplemind.audio.features import Features
from samplemind.audio.metre import METRES, Model, traits
from samplemind.audio.pulse import Pulse

NAMES = ["{}/{}".format(*each) for each in METRES]
SHARES = np.array([0.03, 0.12, 0.60, 0.25])
"""How often each of METRES is met: 2/4 is hardly to be told from 4/4, and rarer."""

PENALTY = 10.0


class MetreCase(NamedTuple):
    source: str
    traits: np.ndarray
    metre: int


def metre_case(source: str, bpm: float, metre: str, features: Features) -> MetreCase | None:
    if metre not in NAMES:
        return None
    found = traits(Pulse(features.onsets), bpm)
    return MetreCase(source, found, NAMES.index(metre))


def metre_model(cases: list[MetreCase]) -> Model:
    """Prints what is right on sources left out, and returns the model of all."""
    x = np.array([case.traits for case in cases])
    y = np.array([case.metre for case in cases])
    names = np.array([case.source for case in cases])
    sizes = Counter(collection(name) for name in names)
    size = np.array([sizes[collection(name)] for name in names], float)
    scale = x.std(axis=0) + 1e-3

    def fitted(which: np.ndarray) -> Model:
        count = counts(y[which], SHARES, size[which])
        weights, bias = fit(x[which] / scale, y[which], count, len(METRES), PENALTY)
        return Model(weights / scale, bias)

    for source in sorted({*names} & {*RECORDED}):
        net, out = fitted(names != source), names == source
        found = np.argmax(x[out] @ net.weights.T + net.bias, axis=1)
        print(f"metre, {source} left out: {np.mean(found == y[out]):.2f} of {out.sum()}")
        for each, name in enumerate(NAMES):
            called = np.bincount(found[y[out] == each], minlength=len(METRES))
            if called.any():
                print(f"  {name} is called", dict(zip(NAMES, called.tolist(), strict=True)))
    return fitted(np.ones(len(y), bool))
