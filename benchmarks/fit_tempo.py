"""Fit the weights of samplemind.audio.tempo on sounds of known tempo.

    fit_tempo.py MANIFEST.csv

The manifest has a `path` and a `tempo` column (beats a minute), and `kind` (LOOP or anything) and
`source` if there are several collections, which then count by the root of their size. Prints the
weights, and how many tempos they get right (within 4 %) on folds left out.
"""

import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from samplemind.audio.analyze import listen
from samplemind.audio.tempo import autocorrelation, candidates, evidence

PENALTY = 4.0
FOLDS = 5

Case = tuple[np.ndarray, np.ndarray, float]
"""Evidence `(n, 16)` and correctness `(n,)` of a sound's candidates, and how much it counts."""


def case(row: dict[str, str], count: float) -> Case:
    features, _ = listen(Path(row["path"]), with_loudness=False)
    correlation = autocorrelation(features.onset_strength)
    loop_seconds = features.seconds if row.get("kind") == "LOOP" else None
    bpms = candidates(correlation, loop_seconds)
    right = np.abs(bpms / float(row["tempo"]) - 1) < 0.04
    return evidence(correlation, bpms, loop_seconds), right, count


def fit(cases: list[Case]) -> np.ndarray:
    """Maximum likelihood of a conditional logit with a quadratic penalty."""

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = PENALTY / 2 * weights @ weights, PENALTY * weights
        for facts, right, count in cases:
            if not right.any():
                continue
            utility = facts @ weights
            share = np.exp(utility - utility.max())
            all_, good = share.sum(), (share * right).sum()
            total -= count * np.log(good / all_)
            gradient = gradient + count * (share / all_ - share * right / good) @ facts
        return total, gradient

    start = np.zeros(cases[0][0].shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x


def accuracy(cases: list[Case], weights: np.ndarray) -> float:
    return float(np.mean([right[np.argmax(facts @ weights)] for facts, right, _ in cases]))


def main() -> None:
    with Path(sys.argv[1]).open() as file:
        rows = [row for row in csv.DictReader(file) if row["tempo"] and Path(row["path"]).exists()]
    sources = [row.get("source", "") for row in rows]
    sizes = Counter(sources)
    cases = [
        case(row, (len(rows) / len(sizes) / sizes[source]) ** 0.5)
        for row, source in zip(rows, sources, strict=True)
    ]
    fold = np.random.default_rng(0).integers(0, FOLDS, len(cases))
    scores = []
    for left_out in range(FOLDS):
        weights = fit([c for c, f in zip(cases, fold, strict=True) if f != left_out])
        scores.append(accuracy([c for c, f in zip(cases, fold, strict=True) if f == left_out], weights))
    print("left out:", np.round(scores, 3), "mean", round(float(np.mean(scores)), 3))
    weights = fit(cases)
    for source in sizes:
        own = [c for c, s in zip(cases, sources, strict=True) if s == source]
        print(source, round(accuracy(own, weights), 3))
    print(np.round(weights, 2).tolist())


main()
