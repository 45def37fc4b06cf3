"""Fit the weights of samplemind.audio.tempo, metre and kind on sounds of known rhythm.

    python -m benchmarks.fit_rhythm MANIFEST.csv

The manifest has the columns `path`, `tempo` (beats a minute, or empty), `metre` (like 4/4, or
empty), `kind` (ONE_SHOT, LOOP or other) and `source`: collections count by the root of their size.
Prints how many answers are right (tempo within 4 %) on sources and on folds left out, writes
tempo.npz, metre.npz and kind.npz in samplemind/audio. Tempo is also learnt from
drum loops that are played from the manifest's labelled hits and breaks (drum_loops.py) and, like
metre, from music made up (played_music.py).
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from benchmarks.drum_loops import break_edits, drum_loops
from benchmarks.played_music import loops, one_shots, pieces
from benchmarks.regression import counts
from benchmarks.regression import fit as fit_classes
from samplemind.audio import kind, metre
from samplemind.audio.analyze import listen
from samplemind.audio.features import Features
from samplemind.audio.kind import ONE_SHOT_SECONDS, TRACK_SECONDS, sample_kind
from samplemind.audio.kind import traits as kind_traits
from samplemind.audio.metre import METRES
from samplemind.audio.metre import traits as metre_traits
from samplemind.audio.pulse import Pulse
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.audio.tempo import CLIP, Model, candidates, evidence
from samplemind.domain.analysis import SampleKind
from samplemind.domain.errors import DomainError

TEMPO_MODEL = Path("samplemind/audio/tempo.npz")
METRE_MODEL = Path("samplemind/audio/metre.npz")
METRE_NAMES = ["{}/{}".format(*each) for each in METRES]
METRE_SHARES = np.array([0.03, 0.12, 0.60, 0.25])
"""How often each of METRES is met: 2/4 is hardly to be told from 4/4, and rarer."""

METRE_PENALTY = 10.0
KIND_MODEL = Path("samplemind/audio/kind.npz")
KIND_PENALTY = 10.0
KIND_RARITY = 0.25
"""The rarer kind counts more, by this power of how rare it is."""

ONE_SHOTS = 240
HELD_TONES = 40

LOOPS_A_STYLE = 50
EDITS = 100
ROUNDS = 6
UNITS, NETS, STEPS = 12, 6, 200
TEMPO_PENALTY = 8.0
RECORDED = {"groove-a": "", "nottingham": "", "pop909": "", "lmms-common": "edits"}
"""Sources to leave out, and what else goes with them."""

Row = dict[str, str]


class Case(NamedTuple):
    """Candidates of a sound, beats a minute `(n,)`, and the evidence for each `(n, traits)`."""

    source: str
    bpm: float
    candidates: np.ndarray
    facts: np.ndarray

    @property
    def right(self) -> np.ndarray:
        return np.abs(self.candidates / self.bpm - 1) < 0.04


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
        total = float(count @ np.log(whole / good)) + TEMPO_PENALTY / 2 * float(penalty)
        slope = count[owner] * (share / whole[owner] - share * right / good[owner])
        inner = np.outer(slope, out) * (1 - np.square(active))
        gradient = [
            (facts.T @ inner + TEMPO_PENALTY * hidden).ravel(),
            inner.sum(axis=0),
            active.T @ slope + TEMPO_PENALTY * out,
            facts.T @ slope + 0.3 * TEMPO_PENALTY * linear,
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


def collection(source: str) -> str:
    return source.partition(":")[0]


def best(net: Model, case: Case) -> tuple[float, float]:
    """Beats a minute of the likeliest candidate, and its share."""
    if not len(case.candidates):
        return 1.0, 0.0
    utility = net.sharpness * net.utility(case.facts)
    share = np.exp(utility - utility.max())
    bpm = case.candidates[np.argmax(share)]
    same = np.abs(case.candidates / bpm - 1) < 0.03
    return float(bpm), float(share[same].sum() / share.sum())


def is_near(bpm: float, truth: float, ratios: tuple[float, ...] = (1,)) -> bool:
    return any(abs(bpm / truth / ratio - 1) < 0.04 for ratio in ratios)


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


class MetreCase(NamedTuple):
    source: str
    traits: np.ndarray
    metre: int


def metre_case(source: str, bpm: float, metre: str, features: Features) -> MetreCase | None:
    if metre not in METRE_NAMES:
        return None
    found = metre_traits(Pulse(features.onsets), bpm)
    return MetreCase(source, found, METRE_NAMES.index(metre))


def metre_model(cases: list[MetreCase]) -> metre.Model:
    """Prints what is right on sources left out, and returns the model of all."""
    x = np.array([case.traits for case in cases])
    y = np.array([case.metre for case in cases])
    names = np.array([case.source for case in cases])
    sizes = Counter(collection(name) for name in names)
    size = np.array([sizes[collection(name)] for name in names], float)
    scale = x.std(axis=0) + 1e-3

    def fitted(which: np.ndarray) -> metre.Model:
        count = counts(y[which], METRE_SHARES, size[which])
        weights, bias = fit_classes(x[which] / scale, y[which], count, len(METRES), METRE_PENALTY)
        return metre.Model(weights / scale, bias)

    for source in sorted({*names} & {*RECORDED}):
        net, out = fitted(names != source), names == source
        found = np.argmax(x[out] @ net.weights.T + net.bias, axis=1)
        print(f"metre, {source} left out: {np.mean(found == y[out]):.2f} of {out.sum()}")
        for each, name in enumerate(METRE_NAMES):
            called = np.bincount(found[y[out] == each], minlength=len(METRES))
            if called.any():
                print(f"  {name} is called", dict(zip(METRE_NAMES, called.tolist(), strict=True)))
    return fitted(np.ones(len(y), bool))


def hits_by_label(rows: list[Row]) -> dict[str, list[Path]]:
    hits: dict[str, list[Path]] = {}
    for row in rows:
        if row["label"] and row["kind"] != SampleKind.LOOP:
            hits.setdefault(row["label"], []).append(Path(row["path"]))
    return hits


def tempo_cases(heard: list[tuple[Row, Features]], rows: list[Row]) -> Iterator[Case]:
    for row, features in heard:
        if row["tempo"]:
            is_loop = (row["kind"] or sample_kind(features)) == SampleKind.LOOP
            yield tempo_case(row["source"], float(row["tempo"]), features, is_loop=is_loop)
    for loop in drum_loops(hits_by_label(rows), LOOPS_A_STYLE):
        is_loop = sample_kind(loop.features) is SampleKind.LOOP
        yield tempo_case(f"hits:{loop.style}", loop.bpm, loop.features, is_loop=is_loop)
    breaks = [
        (Path(row["path"]), round(features.seconds * float(row["tempo"]) / 60))
        for row, features in heard
        if row["tempo"] and row["label"] == "drum loop" and row["kind"] == SampleKind.LOOP
    ]
    for loop in break_edits(breaks, EDITS):
        yield tempo_case("edits", loop.bpm, loop.features, is_loop=True)


def tempo_model(cases: list[Case]) -> Model:
    """Prints what is right on sources left out, and returns the model of all."""
    judged: list[tuple[Model, Case]] = []
    for source in sorted({case.source for case in cases if collection(case.source) in RECORDED}):
        # Edits are cut from the loops of one source.
        rest = [case for case in cases if case.source not in (source, RECORDED[source])]
        net = fit_tempo(rest)
        out = [case for case in cases if case.source == source]
        judged += [(net, case) for case in out]
        found = [(best(net, case)[0], case.bpm) for case in out]
        first = np.mean([is_near(bpm, truth) for bpm, truth in found])
        second = np.mean([is_near(bpm, truth, (1, 2, 3, 1 / 2, 1 / 3)) for bpm, truth in found])
        print(f"tempo, {source} left out: {first:.2f}, in any octave {second:.2f}, of {len(out)}")
        if RECORDED[source]:
            edits = [case for case in cases if case.source == RECORDED[source]]
            right = np.mean([is_near(best(net, case)[0], case.bpm) for case in edits])
            print(f"tempo, {RECORDED[source]} left out: {right:.2f} of {len(edits)}")
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


class KindCase(NamedTuple):
    source: str
    traits: np.ndarray
    is_loop: bool


def kind_model(cases: list[KindCase]) -> kind.Model:
    """Prints what is right on sources left out, and returns the model of all."""
    raw = np.array([case.traits for case in cases])
    centre, scale = raw.mean(axis=0), raw.std(axis=0) + 1e-3
    x = np.array([kind.products(each) for each in (raw - centre) / scale])
    y = np.array([case.is_loop for case in cases]).astype(int)
    names = np.array([case.source for case in cases])

    def fitted(which: np.ndarray) -> tuple[np.ndarray, float]:
        # The difference of the two rows is the weight of being a loop.
        held = np.bincount(y[which], minlength=2)
        count = (which.sum() / 2 / held)[y[which]] ** KIND_RARITY
        weights, bias = fit_classes(x[which], y[which], count, 2, KIND_PENALTY)
        return weights[1] - weights[0], bias[1] - bias[0]

    for source in sorted({*names}):
        out = names == source
        weights, bias = fitted(~out)
        right = (x[out] @ weights + bias > 0) == y[out]
        print(f"kind, {source} left out: {right.mean():.3f} of {out.sum()}")
    weights, bias = fitted(np.ones(len(y), bool))
    return kind.Model(centre, scale, weights, np.array(bias))


def quarters_to_beats(row: Row) -> float:
    """Played grooves in 6/8 are labelled with quarters a minute, a beat being three eighths."""
    counts_quarters = row["source"] == "groove-a" and row["metre"] == "6/8"
    return float(row["tempo"]) / (1.5 if counts_quarters else 1)


def write(path: Path, net: Model | metre.Model | kind.Model) -> None:
    parts = {name: np.float32(part) for name, part in net._asdict().items()}
    np.savez_compressed(path, allow_pickle=False, **parts)


def main() -> None:
    with Path(sys.argv[1]).open() as file:
        rows = [row for row in csv.DictReader(file) if Path(row["path"]).exists()]
    heard = []
    for row in rows:
        try:
            heard.append((row, listen(Path(row["path"]), with_loudness=False).features))
        except DomainError as error:
            print(row["path"], error.message)
    tempos = list(tempo_cases(heard, rows))
    metres = [
        metre_case(row["source"], quarters_to_beats(row), row["metre"], features)
        for row, features in heard
        if row["tempo"]
    ]
    kinds = [
        (row["source"], features, row["kind"] == SampleKind.LOOP)
        for row, features in heard
        if row["kind"] in (SampleKind.LOOP, SampleKind.ONE_SHOT)
    ]
    kinds += [("hits", loop.features, True) for loop in drum_loops(hits_by_label(rows), 5, seed=1)]
    for piece in pieces(ROUNDS):
        source = f"made up:{piece.style}"
        tempos.append(tempo_case(source, piece.bpm, piece.features, is_loop=piece.is_loop))
        if piece.is_loop:
            kinds.append(("made up", piece.features, True))
        else:
            name = "{}/{}".format(*piece.metre)
            metres.append(metre_case(source, piece.bpm, name, piece.features))
    for piece in loops(ROUNDS):
        source = f"made up:{piece.style}"
        tempos.append(tempo_case(source, piece.bpm, piece.features, is_loop=piece.is_loop))
        if piece.is_loop:
            kinds.append(("made up", piece.features, True))
    write(TEMPO_MODEL, tempo_model(tempos))
    write(METRE_MODEL, metre_model([case for case in metres if case]))

    shots = [("made up", piece.features, False) for piece in one_shots(ONE_SHOTS)]
    shots += [("made up", features, False) for features in held_tones(HELD_TONES)]
    cases = [
        KindCase(source, kind_traits(features), is_loop)
        for source, features, is_loop in [*kinds, *shots]
        if ONE_SHOT_SECONDS <= features.seconds < TRACK_SECONDS
    ]
    write(KIND_MODEL, kind_model(cases))


if __name__ == "__main__":
    main()
