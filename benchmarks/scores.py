"""How right an answer is: 0..1 a sound, None where the sound does not ask.

An answer is an object as `samplemind analyze --json` prints it, or a part of one; {} is none.
What is asked and not answered is wrong.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.manifest import Known, pitch_class

Answer = dict[str, Any]
Score = Callable[[Known, Answer], float | None]

TOLERANCE = 0.04
"""Of the tempo: the accuracies of Gouyon et al., "An experimental comparison of audio tempo
induction algorithms", IEEE TASLP 14 (2006)."""

OCTAVES = (1, 2, 3, 1 / 2, 1 / 3)
EXACT_BPM = 0.1

NEIGHBOURS = 10

_Z = 1.96
"""Deviations of a normal distribution that hold 95 % of it."""

_WORDS = {
    "hat closed": "closed hat",
    "hat open": "open hat",
    "hihat closed": "closed hat",
    "hihat open": "open hat",
    "bass drum": "kick",
    "snare drum": "snare",
    "sidestick": "rim",
    "bongo": "conga",
}
"""What is called otherwise in manifests."""


def interval(scores: Sequence[float]) -> tuple[float, float]:
    """95 % confidence interval of the mean of scores in 0..1 (Wilson, JASA 22, 1927).

    Wilson's is for hits and misses; no other scores between 0 and 1 vary more than those.
    """
    n, mean = len(scores), sum(scores) / len(scores)
    middle = mean + _Z**2 / (2 * n)
    half = _Z * math.sqrt(mean * (1 - mean) / n + _Z**2 / (4 * n**2))
    scale = 1 + _Z**2 / n
    return (middle - half) / scale, (middle + half) / scale


def tempo_acc1(known: Known, answer: Answer) -> float | None:
    """Within 4 %."""
    return _tempo(known, answer, lambda ratio: abs(ratio - 1) <= TOLERANCE)


def tempo_acc2(known: Known, answer: Answer) -> float | None:
    """Within 4 % of the tempo, or of its half, third, double or triple."""
    return _tempo(
        known, answer, lambda ratio: any(abs(ratio / o - 1) <= TOLERANCE for o in OCTAVES)
    )


def tempo_exact(known: Known, answer: Answer) -> float | None:
    """Of a loop within 0.1 BPM: what keeps it in step with others."""
    if known.kind != "LOOP" or known.tempo is None:
        return None
    within = EXACT_BPM / known.tempo + 1e-9
    return _tempo(known, answer, lambda ratio: abs(ratio - 1) <= within)


def _tempo(known: Known, answer: Answer, is_right: Callable[[float], bool]) -> float | None:
    if known.tempo is None:
        return None
    found = answer.get("tempo")
    return float(bool(found) and is_right(found["bpm"] / known.tempo))


def key_exact(known: Known, answer: Answer) -> float | None:
    return None if known.key is None else float(_key(answer) == known.key)


def key_weighted(known: Known, answer: Answer) -> float | None:
    """MIREX: 1 the key, 0.5 the fifth above it, 0.3 the relative, 0.2 the parallel key.

    As mir_eval.key.weighted_score has it (Raffel et al., ISMIR 2014).
    """
    if known.key is None:
        return None
    found = _key(answer)
    if found is None:
        return 0.0
    (tonic, mode), (found_tonic, found_mode) = known.key, found
    above = (found_tonic - tonic) % 12
    if mode == found_mode:
        return {0: 1.0, 7: 0.5}.get(above, 0.0)
    return {0: 0.2, 9 if mode == "MAJOR" else 3: 0.3}.get(above, 0.0)


def _key(answer: Answer) -> tuple[int, str] | None:
    found = answer.get("key")
    return (pitch_class(found["tonic"]), found["mode"]) if found else None


def metre(known: Known, answer: Answer) -> float | None:
    if known.metre is None:
        return None
    found = answer.get("timeSignature")
    return float(bool(found) and f"{found['numerator']}/{found['denominator']}" == known.metre)


def kind(known: Known, answer: Answer) -> float | None:
    return None if known.kind is None else float(answer.get("kind") == known.kind)


def label_first(known: Known, answer: Answer) -> float | None:
    return _label(known, answer, 1)


def label_in_three(known: Known, answer: Answer) -> float | None:
    return _label(known, answer, 3)


def _label(known: Known, answer: Answer, most: int) -> float | None:
    if known.label is None:
        return None
    names = [label["name"] for label in answer.get("labels", ())[:most]]
    return float(word(known.label) in names)


def word(label: str) -> str:
    """The analysis's word for a manifest's: hat_closed is a closed hat."""
    plain = label.lower().replace("_", " ")
    return _WORDS.get(plain, plain)


def same_class(known: Sequence[Known], answers: Sequence[Answer]) -> list[float | None]:
    """Share of the 10 nearest by the cosine of their embeddings that have the sound's own label.

    Neighbours come from other packs where there are several: of a kit, other hits of the same
    drum are too easy to find. Labels of fewer than 10 sounds in other packs are not asked.
    """
    asked = [i for i, (one, answer) in enumerate(zip(known, answers, strict=True)) if one.label]
    scores: list[float | None] = [None] * len(known)
    if not asked:
        return scores
    size = max((len(answers[i].get("embedding") or ()) for i in asked), default=0)
    vectors = np.array([answers[i].get("embedding") or [0.0] * size for i in asked])
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    labels = np.array([word(known[i].label or "") for i in asked])
    packs = np.array([known[i].pack for i in asked])
    several = len({*packs}) > 1
    for row, i in enumerate(asked):
        others = packs != packs[row] if several else np.arange(len(asked)) != row
        is_same = labels[others] == labels[row]
        if is_same.sum() < NEIGHBOURS:
            continue
        nearest = np.argsort(-(vectors[others] @ vectors[row]), kind="stable")[:NEIGHBOURS]
        answered = vectors[row].any()
        scores[i] = float(is_same[nearest].mean()) if answered else 0.0
    return scores
