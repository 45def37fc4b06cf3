"""Fit samplemind/audio/key.npz: what names the key of a sound of few notes.

    python -m benchmarks.fit_key MANIFEST.csv SOUNDFONT...

The manifest has the columns `path`, `source`, `key` (like F#,minor) and `mode`. Its music is cut
into excerpts of the length of loops; tonal_loops.py makes the loops themselves. Prints the score of
mir_eval.key on every soundfont, family of phrases and source left out, how far the confidence
can be trusted there, and writes the constants.
"""

import csv
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from benchmarks.tonal_loops import tonal_sounds
from samplemind.audio.analyze import listen
from samplemind.audio.features import Features
from samplemind.audio.key import Model, shares, worth
from samplemind.audio.key_facts import facts
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.audio.tonal import Tonal
from samplemind.domain.analysis import Mode

MODEL = Path("samplemind/audio/key.npz")
SOUNDS_A_FAMILY = 60
EXCERPTS = 2
EXCERPT_SECONDS = (4.0, 15.0)
UNITS = 8
PENALTY = 10.0
ITERATIONS = 150
SHARPNESS = np.geomspace(0.3, 1.5, 25)

FLATS = {"DB": "C#", "EB": "D#", "GB": "F#", "AB": "G#", "BB": "A#"}
NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


class Case(NamedTuple):
    """`key` is 0..11 for major, 12..23 for minor. What is not `learnt` is only asked."""

    source: str
    family: str
    key: int
    seconds: float
    seen: np.ndarray
    learnt: bool


def made(soundfonts: tuple[Path, ...]) -> list[Case]:
    cases = []
    for sound in tonal_sounds(SOUNDS_A_FAMILY, soundfonts):
        features = Features(sound.y, len(sound.y) / SAMPLE_RATE)
        key = sound.phrase.tonic + 12 * (sound.phrase.mode is Mode.MINOR)
        if not len(features.tonal.pitch):
            continue  # filtered away
        seen = facts(features.tonal)
        cases.append(Case(sound.voice, sound.phrase.family, key, features.seconds, seen, True))
    return cases


def rendered(manifest: Path) -> list[Case]:
    source = np.random.default_rng(0)
    cases = []
    with manifest.open() as file:
        rows = [row for row in csv.DictReader(file) if row["key"]]
    for row in rows:
        name = row["key"].split(",")[0].strip().upper()
        key = NOTES.index(FLATS.get(name, name)) + 12 * (row["mode"] == "minor")
        features = listen(Path(row["path"]), with_loudness=False).features
        origin = row["source"]
        seen = facts(features.tonal)
        cases.append(Case(origin, f"{origin} whole", key, features.seconds, seen, False))
        for _ in range(EXCERPTS):
            length = min(int(source.uniform(*EXCERPT_SECONDS) * SAMPLE_RATE), len(features.y))
            first = int(source.integers(0, len(features.y) - length + 1))
            seen = facts(Tonal(features.y[first : first + length]))
            seconds = length / SAMPLE_RATE
            cases.append(Case(origin, f"{origin} excerpt", key, seconds, seen, True))
    return cases


def fit(cases: list[Case]) -> Model:
    """Maximum likelihood of the right keys, with a quadratic penalty."""
    cases = [case for case in cases if case.learnt]
    seen = np.array([case.seen for case in cases])
    width = seen.shape[2]
    rows = seen.reshape(-1, width)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    rows = (rows - mean) / scale
    right = np.zeros((len(cases), 12, 2))
    keys = np.array([case.key for case in cases])
    right[np.arange(len(cases)), keys % 12, keys // 12] = 1
    right = right.reshape(len(cases), 24)
    ends = np.cumsum([width * UNITS, UNITS, UNITS * 2, width * 2])

    def unpack(packed: np.ndarray) -> list[np.ndarray]:
        hidden, bias, out, linear, offset = np.split(packed, ends)
        return [
            hidden.reshape(width, UNITS),
            bias,
            out.reshape(UNITS, 2),
            linear.reshape(width, 2),
            offset,
        ]

    def loss(packed: np.ndarray) -> tuple[float, np.ndarray]:
        hidden, bias, out, linear, offset = unpack(packed)
        active = np.tanh(rows @ hidden + bias)
        utility = (active @ out + rows @ linear + offset).reshape(-1, 24)
        share = np.exp(utility - utility.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        total = -np.sum(np.log(np.maximum((share * right).sum(axis=1), 1e-12)))
        total += PENALTY / 2 * sum(float(np.sum(part**2)) for part in (hidden, out, linear))
        slope = (share - right).reshape(-1, 2)
        inner = slope @ out.T * (1 - np.square(active))
        gradient = [
            rows.T @ inner + PENALTY * hidden,
            inner.sum(axis=0),
            active.T @ slope + PENALTY * out,
            rows.T @ slope + PENALTY * linear,
            slope.sum(axis=0),
        ]
        return float(total), np.concatenate([part.ravel() for part in gradient])

    source = np.random.default_rng(0)
    start = np.zeros(ends[-1] + 2)
    start[: ends[0]] = source.normal(0, 0.1, ends[0])
    start[ends[1] : ends[2]] = source.normal(0, 0.3, UNITS * 2)
    options = {"maxiter": ITERATIONS}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    hidden, bias, out, linear, offset = unpack(found)
    hidden, linear = hidden / scale[:, None], linear / scale[:, None]
    return Model(hidden, bias - mean @ hidden, out, linear, offset - mean @ linear, 1.0)


def score(answer: int, key: int) -> float:
    """As MIREX and mir_eval.key: 1, a fifth above 0.5, relative 0.3, parallel 0.2."""
    return float(worth(np.eye(24)[key])[answer])


class Judged(NamedTuple):
    case: Case
    net: Model

    def shares(self, sharpness: float) -> np.ndarray:
        return shares(self.net._replace(sharpness=sharpness), self.case.seen, self.case.seconds)


def left_out(cases: list[Case], column: str) -> list[Judged]:
    """Every case, with a model that knew nothing of its source or family."""
    judged = []
    for value in sorted({getattr(case, column) for case in cases}):
        net = fit([case for case in cases if getattr(case, column) != value])
        out = [Judged(case, net) for case in cases if getattr(case, column) == value]
        report(f"{column} {value} left out", out)
        judged += out
    return judged


def report(name: str, judged: list[Judged]) -> None:
    for family in sorted({j.case.family for j in judged} if len(judged) else ()):
        part = [j for j in judged if j.case.family == family]
        scores = [score(int(np.argmax(worth(j.shares(1.0)))), j.case.key) for j in part]
        print(f"{name}, {family}: {np.mean(scores):.2f} of {len(part)}", flush=True)


def calibrate(judged: list[Judged]) -> float:
    """The sharpness under which the right keys were likeliest; prints what it promises."""

    def likelihood(sharpness: float) -> float:
        return sum(float(np.log(j.shares(sharpness)[j.case.key] + 1e-9)) for j in judged)

    best = float(max(SHARPNESS, key=likelihood))
    share = np.array([j.shares(best) for j in judged])
    answer = np.array([int(np.argmax(worth(row))) for row in share])
    promised = share[np.arange(len(share)), answer]
    right = answer == [j.case.key for j in judged]
    for low in np.arange(0, 1, 0.1):
        here = (promised >= low) & (promised < low + 0.1 + 1e-9)
        if here.any():
            figures = f"promised {promised[here].mean():.2f}, right {right[here].mean():.2f}"
            print(f"confidence from {low:.1f}: {figures} of {here.sum()}")
    return best


def main() -> None:
    cases = made(tuple(Path(name) for name in sys.argv[2:])) + rendered(Path(sys.argv[1]))
    by_source = left_out(cases, "source")
    left_out([case for case in cases if case.learnt], "family")
    net = fit(cases)._replace(sharpness=calibrate(by_source))
    hidden, bias, out, linear, offset = (np.float32(part) for part in net[:5])
    np.savez_compressed(
        MODEL,
        hidden=hidden,
        bias=bias,
        out=out,
        linear=linear,
        offset=offset,
        sharpness=net.sharpness,
    )


if __name__ == "__main__":
    main()
