"""The weights of samplemind.audio.tempo: see fit_rhythm.py."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.network import Manner, Question, calibrated, fit
from benchmarks.regression import collection
from benchmarks.scores import OCTAVES, TOLERANCE
from samplemind.audio.features import Features
from samplemind.audio.network import Network, shares
from samplemind.audio.pulse import Pulse
from samplemind.audio.tempo import candidates, evidence

MANNER = Manner(units=64, nets=3, epochs=40, dropped=0.05, decay=0.1)

RECORDED = {"groove-a": "tapes", "nottingham": "", "pop909": "", "lmms-common": "edits"}
"""Sources to leave out, and what else goes with them."""


class Case(NamedTuple):
    """Candidates of a sound, beats a minute `(n,)`, and the evidence for each `(n, traits)`."""

    source: str
    bpm: float
    candidates: np.ndarray
    facts: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return np.abs(self.candidates / self.bpm - 1) < TOLERANCE


def tempo_case(source: str, bpm: float, features: Features, *, is_loop: bool) -> Case:
    loop_seconds = features.seconds if is_loop else None
    bpms = candidates(features.onsets.correlation, loop_seconds)
    return Case(source, bpm, bpms, evidence(Pulse(features.onsets), bpms, loop_seconds))


def fit_tempo(cases: list[Case]) -> Network:
    """Maximum likelihood of the right candidates. Collections count by the root of their size."""
    cases = [case for case in cases if case.right.any()]
    sizes = Counter(collection(case.source) for case in cases)
    questions = [
        Question(case.facts, case.right[:, None], sizes[collection(case.source)] ** -0.5)
        for case in cases
    ]
    return fit(questions, MANNER)


def best(net: Network, case: Case) -> tuple[float, float]:
    """Beats a minute of the likeliest candidate, and its share."""
    if not len(case.candidates):
        return 1.0, 0.0
    share = shares(net.utility(case.facts)[:, 0])
    bpm = case.candidates[np.argmax(share)]
    same = np.abs(case.candidates / bpm - 1) < 0.03
    return float(bpm), float(share[same].sum())


def is_near(bpm: float, truth: float, ratios: Sequence[float] = (1,)) -> bool:
    return any(abs(bpm / truth / ratio - 1) < TOLERANCE for ratio in ratios)


def tempo_model(cases: list[Case]) -> Network:
    """Prints what is right on sources left out, and returns the model of all."""
    judged: list[tuple[Network, Case]] = []
    for source in sorted({case.source for case in cases if collection(case.source) in RECORDED}):
        # Edits are cut from the loops of one source, tapes are of the grooves.
        rest = [case for case in cases if case.source not in (source, RECORDED[source])]
        net = fit_tempo(rest)
        out = [case for case in cases if case.source == source]
        judged += [(net, case) for case in out]
        found = [(best(net, case)[0], case.bpm) for case in out]
        first = np.mean([is_near(bpm, truth) for bpm, truth in found])
        second = np.mean([is_near(bpm, truth, OCTAVES) for bpm, truth in found])
        print(f"tempo, {source} left out: {first:.2f}, in any octave {second:.2f}, of {len(out)}")
        if RECORDED[source]:
            others = [case for case in cases if case.source == RECORDED[source]]
            right = np.mean([is_near(best(net, case)[0], case.bpm) for case in others])
            print(f"tempo, {RECORDED[source]} left out: {right:.2f} of {len(others)}")
    told = [(it.utility(case.facts)[:, 0], case.right) for it, case in judged]
    net = calibrated(fit_tempo(cases), told)
    print("sharpness", net.sharpness)
    reliability([(unseen._replace(sharpness=net.sharpness), case) for unseen, case in judged])
    return net


def reliability(judged: list[tuple[Network, Case]]) -> None:
    answers = [(*best(net, case), case.bpm) for net, case in judged]
    share = np.array([share for _, share, _ in answers])
    right = np.array([is_near(bpm, truth) for bpm, _, truth in answers])
    for part in np.array_split(np.argsort(share), 10):
        print(f"confidence {share[part].mean():.2f}, right {right[part].mean():.2f}")
