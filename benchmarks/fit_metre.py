"""The weights of samplemind.audio.metre: see fit_rhythm.py."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from benchmarks.fit_tempo import RECORDED
from benchmarks.network import Manner, Question, calibrated, fit
from benchmarks.regression import collection, counts
from samplemind.audio.features import Features
from samplemind.audio.metre import METRES, has_few_beats, traits
from samplemind.audio.network import Network
from samplemind.audio.pulse import Pulse

NAMES = ["{}/{}".format(*each) for each in METRES]
SHARES = np.array([0.05, 0.15, 0.56, 0.24])
"""How often each of METRES is met: 2/4 is hardly to be told from 4/4, and rarer."""

MANNER = Manner(units=16, nets=3, epochs=50, dropped=0.1, decay=0.3)


class MetreCase(NamedTuple):
    source: str
    traits: np.ndarray
    metre: int


def metre_case(source: str, bpm: float, metre: str, features: Features) -> MetreCase | None:
    if metre not in NAMES or has_few_beats(features.seconds, bpm):
        return None
    found = traits(Pulse(features.onsets), bpm)
    return MetreCase(source, found, NAMES.index(metre))


def metre_model(cases: list[MetreCase]) -> Network:
    """Prints what is right on sources left out, and returns the model of all."""
    judged: list[tuple[np.ndarray, np.ndarray]] = []
    for source in sorted({case.source for case in cases} & {*RECORDED}):
        net = fit_metre([case for case in cases if case.source != source])
        out = [case for case in cases if case.source == source]
        utility = net.utility(np.concatenate([case.traits for case in out]))
        truth = np.array([case.metre for case in out])
        judged += zip(utility, np.eye(len(METRES))[truth], strict=True)
        found = utility.argmax(axis=1)
        print(f"metre, {source} left out: {np.mean(found == truth):.2f} of {len(out)}")
        for each, name in enumerate(NAMES):
            called = np.bincount(found[truth == each], minlength=len(METRES))
            if called.any():
                print(f"  {name} is called", dict(zip(NAMES, called.tolist(), strict=True)))
    net = calibrated(fit_metre(cases), judged)
    print("sharpness", net.sharpness)
    return net


def fit_metre(cases: list[MetreCase]) -> Network:
    """Maximum likelihood; see regression.counts for how often a case counts."""
    truth = np.array([case.metre for case in cases])
    sizes = Counter(collection(case.source) for case in cases)
    size = np.array([sizes[collection(case.source)] for case in cases], float)
    count = counts(truth, SHARES, size)
    told = np.eye(len(METRES), dtype=bool)[truth]
    questions = [
        Question(case.traits, right[None], float(each))
        for case, right, each in zip(cases, told, count, strict=True)
    ]
    return fit(questions, MANNER)
