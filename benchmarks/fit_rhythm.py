"""Fit the weights of samplemind.audio.tempo, metre and kind on sounds of known rhythm.

    fit_rhythm.py MANIFEST.csv

The manifest has the columns `path`, `tempo` (beats a minute, or empty), `metre` (like 4/4, or
empty), `kind` (ONE_SHOT, LOOP or other) and `source`: collections count by the root of their size.
Prints the weights, and how many answers are right (tempo within 4 %) on folds left out.
"""

import csv
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fit_embedding import fit as fit_classes
from scipy.optimize import minimize

from samplemind.audio.analyze import listen
from samplemind.audio.features import Features
from samplemind.audio.kind import ONE_SHOT_SECONDS, sharp_onsets, traits
from samplemind.audio.metre import METRES, likeness
from samplemind.audio.onsets import ONSET_RATE, autocorrelation
from samplemind.audio.tempo import candidates, evidence
from samplemind.domain.errors import DomainError

PENALTY = 4.0
CLASS_PENALTY = 0.33
FOLDS = 5
PATTERNS = 130

Case = tuple[np.ndarray, np.ndarray, float]
"""Evidence `(n, 16)` and correctness `(n,)` of a sound's candidates, and how much it counts."""

Row = dict[str, str]


def tempo_case(row: Row, features: Features, count: float) -> Case:
    correlation = features.onsets.correlation
    loop_seconds = features.seconds if row["kind"] == "LOOP" else None
    bpms = candidates(correlation, loop_seconds)
    right = np.abs(bpms / float(row["tempo"]) - 1) < 0.04
    return evidence(correlation, bpms, loop_seconds), right, count


def fit_tempo(cases: list[Case]) -> np.ndarray:
    """Maximum likelihood of a conditional logit with a quadratic penalty."""

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = PENALTY / 2 * float(weights @ weights), PENALTY * weights
        for facts, right, count in cases:
            if not right.any():
                continue
            utility = facts @ weights
            share = np.exp(utility - utility.max())
            whole, good = share.sum(), (share * right).sum()
            total -= count * float(np.log(good / whole))
            gradient = gradient + count * (share / whole - share * right / good) @ facts
        return total, gradient

    start = np.zeros(cases[0][0].shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x


def tempo_hits(cases: list[Case], weights: np.ndarray) -> np.ndarray:
    return np.array([right[np.argmax(facts @ weights)] for facts, right, _ in cases])


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


def tempo_weights(heard: list[tuple[Row, Features]]) -> None:
    timed = [(row, features) for row, features in heard if row["tempo"]]
    sizes = Counter(row["source"] for row, _ in timed)
    cases = [
        tempo_case(row, features, (len(timed) / len(sizes) / sizes[row["source"]]) ** 0.5)
        for row, features in timed
    ]
    score = left_out(
        len(cases),
        lambda train, test: tempo_hits(
            [cases[i] for i in test], fit_tempo([cases[i] for i in train])
        ),
    )
    print("tempo, left out:", round(score, 3))
    print(np.round(fit_tempo(cases), 2).tolist())


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
    tempo_weights(heard)

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
