"""The weights of samplemind.audio.tempo: see fit_rhythm.py."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from benchmarks.regression import collection
from benchmarks.scores import OCTAVES, TOLERANCE
from samplemind.audio.features import Features
from samplemind.audio.pulse import Pulse
from samplemind.audio.tempo import CLIP, Model, candidates, evidence

UNITS, NETS, STEPS = 12, 6, 200
PENALTY = 8.0
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


def fit_tempo(cases: list[Case]) -> Model:
    """Maximum likelihood of the right candidates, with quadratic penalties.

    Collections count by the root of their size. Several networks from other beginnings, side by
    side, are one that depends less on where it began.
    """
    cases = [case for case in cases if case.right.any()]
    sizes = Counter(collection(case.source) for case in cases)
    count = np.array([sizes[collection(case.source)] ** -0.5 for case in cases], np.float32)
    count /= count.mean()
    facts = np.concatenate([case.facts for case in cases]).astype(np.float32)
    centre, scale = facts.mean(axis=0), facts.std(axis=0) + 1e-3
    facts = np.clip((facts - centre) / scale, -CLIP, CLIP)
    right = np.concatenate([case.right for case in cases]).astype(np.float32)
    lengths = [len(case.right) for case in cases]
    owner = np.repeat(np.arange(len(cases)), lengths)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    traits = facts.shape[1]
    ends = np.cumsum([traits * UNITS, UNITS, UNITS])

    def unpack(packed: np.ndarray) -> list[np.ndarray]:
        hidden, bias, out, linear = np.split(packed.astype(np.float32), ends)
        return [hidden.reshape(traits, UNITS), bias, out, linear]

    def loss(packed: np.ndarray) -> tuple[float, np.ndarray]:
        hidden, bias, out, linear = unpack(packed)
        active = np.tanh(facts @ hidden + bias)
        utility = active @ out + facts @ linear
        share = np.exp(utility - np.maximum.reduceat(utility, first)[owner])
        whole = np.add.reduceat(share, first)
        good = np.maximum(np.add.reduceat(share * right, first), 1e-12)
        penalty = hidden.ravel() @ hidden.ravel() + out @ out + 0.3 * linear @ linear
        total = float(count @ np.log(whole / good)) + PENALTY / 2 * float(penalty)
        slope = count[owner] * (share / whole[owner] - share * right / good[owner])
        inner = np.outer(slope, out) * (1 - np.square(active))
        gradient = [
            (facts.T @ inner + PENALTY * hidden).ravel(),
            inner.sum(axis=0),
            active.T @ slope + PENALTY * out,
            facts.T @ slope + 0.3 * PENALTY * linear,
        ]
        return total, np.concatenate(gradient).astype(np.float64)

    nets: list[list[np.ndarray]] = []
    for seed in range(NETS):
        source = np.random.default_rng(seed)
        start = [source.normal(0, 0.15, traits * UNITS), np.zeros(UNITS)]
        start += [source.normal(0, 0.3, UNITS), np.zeros(traits)]
        steps = {"maxiter": STEPS}
        found = minimize(loss, np.concatenate(start), jac=True, method="L-BFGS-B", options=steps)
        nets.append(unpack(found.x))
    hidden, bias, out, linear = zip(*nets, strict=True)
    return Model(
        centre, scale, np.hstack(hidden), np.concatenate(bias), np.concatenate(out) / NETS,
        np.mean(linear, axis=0), np.ones(()),
    )  # fmt: skip


def best(net: Model, case: Case) -> tuple[float, float]:
    """Beats a minute of the likeliest candidate, and its share."""
    if not len(case.candidates):
        return 1.0, 0.0
    utility = net.sharpness * net.utility(case.facts)
    share = np.exp(utility - utility.max())
    bpm = case.candidates[np.argmax(share)]
    same = np.abs(case.candidates / bpm - 1) < 0.03
    return float(bpm), float(share[same].sum() / share.sum())


def is_near(bpm: float, truth: float, ratios: Sequence[float] = (1,)) -> bool:
    return any(abs(bpm / truth / ratio - 1) < TOLERANCE for ratio in ratios)


def calibrated(net: Model, judged: list[tuple[Model, Case]]) -> Model:
    """With the sharpness that makes shares likeliest on cases which their model has not seen."""

    def surprise(sharpness: float) -> float:
        total = 0.0
        for unseen, case in judged:
            utility = sharpness * unseen.utility(case.facts)
            share = np.exp(utility - utility.max())
            total -= np.log(max((share * case.right).sum() / share.sum(), 1e-3))
        return total

    tried = np.arange(0.1, 1.55, 0.05)
    best = tried[np.argmin([surprise(each) for each in tried])]
    return net._replace(sharpness=np.array(best))


def tempo_model(cases: list[Case]) -> Model:
    """Prints what is right on sources left out, and returns the model of all."""
    judged: list[tuple[Model, Case]] = []
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
    net = calibrated(fit_tempo(cases), judged)
    print("sharpness", net.sharpness)
    reliability([(unseen._replace(sharpness=net.sharpness), case) for unseen, case in judged])
    return net


def reliability(judged: list[tuple[Model, Case]]) -> None:
    answers = [(*best(net, case), case.bpm) for net, case in judged]
    share = np.array([share for _, share, _ in answers])
    right = np.array([is_near(bpm, truth) for bpm, _, truth in answers])
    for part in np.array_split(np.argsort(share), 10):
        print(f"confidence {share[part].mean():.2f}, right {right[part].mean():.2f}")
