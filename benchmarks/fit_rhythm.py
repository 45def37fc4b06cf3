"""Fit the weights of samplemind.audio.tempo and samplemind.audio.metre on sounds of known rhythm.

    fit_rhythm.py MANIFEST.csv

The manifest has the columns `path`, `tempo` (beats a minute, or empty), `metre` (like 4/4, or
empty), `kind` (LOOP or anything) and `source`: collections count by the root of their size.
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
from samplemind.audio.metre import METRES, RATIOS
from samplemind.audio.tempo import at_multiples, candidates, evidence

PENALTY = 4.0
METRE_PENALTY = 0.33
FOLDS = 5

Case = tuple[np.ndarray, np.ndarray, float]
"""Evidence `(n, 16)` and correctness `(n,)` of a sound's candidates, and how much it counts."""

Row = dict[str, str]


def tempo_case(row: Row, correlation: np.ndarray, seconds: float, count: float) -> Case:
    loop_seconds = seconds if row["kind"] == "LOOP" else None
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


def main() -> None:
    with Path(sys.argv[1]).open() as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if (row["tempo"] or row["metre"]) and Path(row["path"]).exists()
        ]
    heard = []
    for row in rows:
        features, _ = listen(Path(row["path"]), with_loudness=False)
        heard.append((row, features.onset_correlation, features.seconds))

    timed = [sound for sound in heard if sound[0]["tempo"]]
    sizes = Counter(row["source"] for row, _, _ in timed)
    cases = [
        tempo_case(row, c, seconds, (len(timed) / len(sizes) / sizes[row["source"]]) ** 0.5)
        for row, c, seconds in timed
    ]
    score = left_out(
        len(cases),
        lambda train, test: tempo_hits(
            [cases[i] for i in test], fit_tempo([cases[i] for i in train])
        ),
    )
    print("tempo, left out:", round(score, 3))
    print(np.round(fit_tempo(cases), 2).tolist())

    names = [f"{numerator}/{denominator}" for numerator, denominator in METRES]
    metred = [sound for sound in timed if sound[0]["metre"] in names]
    x = np.array(
        [at_multiples(c, np.array([float(row["tempo"])]), RATIOS)[0] for row, c, _ in metred]
    )
    y = np.array([names.index(row["metre"]) for row, _, _ in metred])

    def metre_hits(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        weights, bias = fit_classes(x[train], y[train], len(names), METRE_PENALTY)
        return np.argmax(x[test] @ weights.T + bias, axis=1) == y[test]

    print("metre, left out:", round(left_out(len(y), metre_hits), 3))
    weights, bias = fit_classes(x, y, len(names), METRE_PENALTY)
    print(np.round(weights, 2).tolist(), np.round(bias, 2).tolist())


main()
