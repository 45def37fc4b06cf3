"""Fit the weights of samplemind.audio.tempo, metre and kind on sounds of known rhythm.

    PYTHONPATH=. python benchmarks/fit_rhythm.py MANIFEST.csv

The manifest has the columns `path`, `tempo` (beats a minute, or empty), `metre` (like 4/4, or
empty), `kind` (ONE_SHOT, LOOP or other) and `source`: collections count by the root of their size.
Prints how many answers are right (tempo within 4 %) on sources and on folds left out, writes
samplemind/audio/tempo.npz, and prints the other weights. Tempo is also learnt from drum loops that
are played from the manifest's labelled hits (drum_loops.py).
"""

import csv
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from drum_loops import drum_loops
from regression import fit as fit_classes
from scipy.optimize import minimize

from samplemind.audio.analyze import listen
from samplemind.audio.features import Features
from samplemind.audio.kind import ONE_SHOT_SECONDS, sample_kind, sharp_onsets, traits
from samplemind.audio.metre import METRES, likeness
from samplemind.audio.onsets import ONSET_RATE, autocorrelation
from samplemind.audio.tempo import Model, candidates, evidence
from samplemind.domain.analysis import SampleKind
from samplemind.domain.errors import DomainError

CLASS_PENALTY = 0.33
FOLDS = 5
MODEL = Path("samplemind/audio/tempo.npz")
PATTERNS = 130

LOOPS_A_STYLE = 64
UNITS = 10
TEMPO_PENALTY = 1.0

Row = dict[str, str]


class Case(NamedTuple):
    """Evidence `(n, traits)` and correctness `(n,)` of a sound's candidates."""

    source: str
    facts: np.ndarray
    right: np.ndarray


def tempo_case(source: str, bpm: float, features: Features, *, is_loop: bool) -> Case:
    loop_seconds = features.seconds if is_loop else None
    bpms = candidates(features.onsets.correlation, loop_seconds)
    right = np.abs(bpms / bpm - 1) < 0.04
    return Case(source, evidence(features.onsets, bpms, loop_seconds), right)


def fit_tempo(cases: list[Case]) -> Model:
    """Maximum likelihood of the right candidates, with quadratic penalties.

    Collections count by the root of their size; all played styles together are one.
    """
    cases = [case for case in cases if case.right.any()]
    sizes = Counter(collection(case) for case in cases)
    count = np.array([sizes[collection(case)] ** -0.5 for case in cases])
    count /= count.mean()
    facts = np.concatenate([case.facts for case in cases])
    scale = facts.std(axis=0) + 1e-3
    facts = facts / scale
    right = np.concatenate([case.right for case in cases])
    lengths = [len(case.right) for case in cases]
    owner = np.repeat(np.arange(len(cases)), lengths)
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    traits = facts.shape[1]
    ends = np.cumsum([traits * UNITS, UNITS, UNITS])

    def unpack(packed: np.ndarray) -> Model:
        hidden, bias, out, linear = np.split(packed, ends)
        return Model(hidden.reshape(traits, UNITS), bias, out, linear, 1.0)

    def loss(packed: np.ndarray) -> tuple[float, np.ndarray]:
        net = unpack(packed)
        active = np.tanh(facts @ net.hidden + net.bias)
        utility = active @ net.out + facts @ net.linear
        share = np.exp(utility - np.maximum.reduceat(utility, first)[owner])
        whole = np.add.reduceat(share, first)
        good = np.maximum(np.add.reduceat(share * right, first), 1e-12)
        penalty = net.hidden.ravel() @ net.hidden.ravel() + net.out @ net.out
        penalty += 0.3 * net.linear @ net.linear
        total = float(count @ np.log(whole / good)) + TEMPO_PENALTY / 2 * float(penalty)
        slope = count[owner] * (share / whole[owner] - share * right / good[owner])
        inner = np.outer(slope, net.out) * (1 - np.square(active))
        gradient = [
            (facts.T @ inner + TEMPO_PENALTY * net.hidden).ravel(),
            inner.sum(axis=0),
            active.T @ slope + TEMPO_PENALTY * net.out,
            facts.T @ slope + 0.3 * TEMPO_PENALTY * net.linear,
        ]
        return total, np.concatenate(gradient)

    source = np.random.default_rng(0)
    start = [source.normal(0, 0.15, traits * UNITS), np.zeros(UNITS), source.normal(0, 0.3, UNITS)]
    start = np.concatenate([*start, np.zeros(traits)])
    found = unpack(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x)
    return found._replace(hidden=found.hidden / scale[:, None], linear=found.linear / scale)


def collection(case: Case) -> str:
    return case.source.partition(":")[0]


def tempo_hits(cases: list[Case], net: Model) -> np.ndarray:
    return np.array([case.right[np.argmax(net.utility(case.facts))] for case in cases])


def calibrated(net: Model, judged: list[tuple[Model, Case]]) -> Model:
    """With the sharpness that makes shares likeliest on cases which their model has not seen."""

    def surprise(sharpness: float) -> float:
        total = 0.0
        for unseen, case in judged:
            utility = sharpness * unseen.utility(case.facts)
            share = np.exp(utility - utility.max())
            total -= np.log(max((share * case.right).sum() / share.sum(), 1e-3))
        return total

    tried = np.arange(0.2, 1.55, 0.05)
    return net._replace(sharpness=float(tried[np.argmin([surprise(each) for each in tried])]))


def left_out(count: int, train_and_test: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
    """Share of hits where each fold is tested on a model trained on the others."""
    fold = np.random.default_rng(0).integers(0, FOLDS, count)
    hits = [
        train_and_test(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(FOLDS)
    ]
    return float(np.concatenate(hits).mean())


def pattern(
    numerator: int, denominator: int, source: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Quarter notes a minute, and the onset strength of 25 s of a bar made up at random.

    Accents fall where the metre has them, most of the rest is filled at random; the bar repeats
    with small deviations in time and strength.
    """
    bpm = source.uniform(65, 170)
    if denominator == 8:
        accents, division = (1.0, 0.1, 0.1, 0.7, 0.1, 0.1), 1
    elif numerator == 4:
        accents, division = (1.0, 0.6, 0.8, 0.6), 4
    else:
        accents, division = (1.0, 0.5, 0.5), 2
    plan = np.full(len(accents) * division, 0.15)
    plan[::division] = accents
    likely = np.where(plan >= 0.5, 0.95, 0.35)
    bar = plan * source.uniform(0.5, 1.5, len(plan)) * (source.random(len(plan)) < likely)
    bar += source.uniform(0.1, 0.6, len(plan)) * (source.random(len(plan)) < 0.3)
    bar[0] = max(bar[0], 0.8)
    step = 60 * ONSET_RATE / bpm * 4 * numerator / denominator / len(plan)
    strength = np.zeros(int(25 * ONSET_RATE))
    for i in range(int(len(strength) / step) - 1):
        at = int(max(0, i * step + source.normal(0, 0.4)))
        strength[at] += bar[i % len(bar)] * source.uniform(0.85, 1.15)
    smeared = np.convolve(strength, (0.3, 1, 0.5), "same")
    return bpm, (smeared + 0.03 * source.random(len(smeared))).astype(np.float32)


def tempo_model(heard: list[tuple[Row, Features]], hits: dict[str, list[Path]]) -> None:
    cases = [
        tempo_case(
            row["source"],
            float(row["tempo"]),
            features,
            is_loop=(row["kind"] or sample_kind(features)) == SampleKind.LOOP,
        )
        for row, features in heard
        if row["tempo"]
    ]
    for loop in drum_loops(hits, LOOPS_A_STYLE):
        is_loop = sample_kind(loop.features) is SampleKind.LOOP
        cases.append(tempo_case(f"played:{loop.style}", loop.bpm, loop.features, is_loop=is_loop))
    for source in sorted({case.source for case in cases}):
        out = [case for case in cases if case.source == source]
        net = fit_tempo([case for case in cases if case.source != source])
        print(f"tempo, {source} left out: {tempo_hits(out, net).mean():.2f} of {len(out)}")
    fold = np.random.default_rng(0).integers(0, FOLDS, len(cases))
    judged: list[tuple[Model, Case]] = []
    for f in range(FOLDS):
        net = fit_tempo([case for case, part in zip(cases, fold, strict=True) if part != f])
        judged += [(net, case) for case, part in zip(cases, fold, strict=True) if part == f]
    right = np.array([tempo_hits([case], net)[0] for net, case in judged])
    names = np.array([collection(case) for _, case in judged])
    for name in sorted({*names}):
        print(f"tempo, folds left out, {name}: {right[names == name].mean():.2f}")
    net = calibrated(fit_tempo(cases), judged)
    print("sharpness", net.sharpness)
    hidden, bias, out, linear = (np.float32(part) for part in net[:4])
    np.savez_compressed(
        MODEL, hidden=hidden, bias=bias, out=out, linear=linear, sharpness=net.sharpness
    )


def class_weights(question: str, x: np.ndarray, y: np.ndarray, classes: int) -> None:
    def hits(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        weights, bias = fit_classes(x[train], y[train], classes, CLASS_PENALTY)
        return np.argmax(x[test] @ weights.T + bias, axis=1) == y[test]

    print(f"{question}, left out:", round(left_out(len(y), hits), 3))
    weights, bias = fit_classes(x, y, classes, CLASS_PENALTY)
    print(np.round(weights, 2).tolist(), np.round(bias, 2).tolist())


def main() -> None:
    with Path(sys.argv[1]).open() as file:
        rows = [row for row in csv.DictReader(file) if Path(row["path"]).exists()]
    heard = []
    for row in rows:
        try:
            heard.append((row, listen(Path(row["path"]), with_loudness=False).features))
        except DomainError as error:
            print(row["path"], error.message)
    labelled: dict[str, list[Path]] = {}
    for row in rows:
        if row["label"] and row["kind"] != SampleKind.LOOP:
            labelled.setdefault(row["label"], []).append(Path(row["path"]))
    tempo_model(heard, labelled)

    names = [f"{numerator}/{denominator}" for numerator, denominator in METRES]
    x = [
        likeness(features.onsets.correlation, float(row["tempo"]))
        for row, features in heard
        if row["tempo"] and row["metre"] in names
    ]
    y = [names.index(row["metre"]) for row, _ in heard if row["tempo"] and row["metre"] in names]
    # Collections hold few waltzes, and nothing as plain as a drum machine.
    source = np.random.default_rng(0)
    for i, (numerator, denominator) in enumerate(METRES):
        for _ in range(PATTERNS):
            bpm, strength = pattern(numerator, denominator, source)
            x.append(likeness(autocorrelation(strength), bpm))
            y.append(i)
    class_weights("metre", np.array(x), np.array(y), len(names))

    unclear = [
        (["ONE_SHOT", "LOOP"].index(row["kind"]), traits(features, begins))
        for row, features in heard
        if row["kind"] in ("ONE_SHOT", "LOOP")
        and features.seconds >= ONE_SHOT_SECONDS
        and len(begins := sharp_onsets(features)) > 1
    ]
    # The difference of the two rows is the weight of being a loop.
    class_weights("kind", np.array([x for _, x in unclear]), np.array([y for y, _ in unclear]), 2)


if __name__ == "__main__":
    main()
