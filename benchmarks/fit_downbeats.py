"""Fit samplemind.audio.downbeats on music of known bars: `python -m benchmarks.fit_downbeats`

Drums alone, bands and tunes are made up (played_music.py), played from soundfonts, one after the
other, and cut at random, so that the first beat tells nothing. Tempo and metre are given. Prints
for each soundfont left out in how many pieces the bars begin with the right beat, of those whose
beats were found, and writes downbeats.npz in samplemind/audio.
"""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from benchmarks.bands import band
from benchmarks.grooves import GROOVES, drums_alone
from benchmarks.played_music import SOUNDFONTS, beats_of_a_bar, play
from benchmarks.score import Score
from benchmarks.tunes import TUNES, tune_score
from samplemind.audio.beats import beat_times
from samplemind.audio.downbeats import BARS, accents
from samplemind.audio.features import Features
from samplemind.audio.spectrum import SAMPLE_RATE

MODEL = Path("samplemind/audio/downbeats.npz")
PENALTY = 30.0
ROUNDS = 4
"""Of pieces from every soundfont."""

_MOST_BEATS, _MOST_SECONDS = 36, 20
_ON_THE_BEAT = 0.2
"""Beats by which a beat that was found may miss one that was played."""

_TRACKED = 0.6
"""Share of the bars that have to begin with a beat that was found."""


class Case(NamedTuple):
    """The traits `(bar, traits)` of a piece, a row for each beat that its bars may begin with, less
    their mean; which is right; and the root of how many bars there are."""

    family: str
    font: str
    bar: int
    traits: np.ndarray
    right: int
    weight: float


def cases(font: Path, seed: int) -> list[Case]:
    """Of a round of pieces played from one soundfont."""
    return list(_cases(font, seed))


def _cases(font: Path, seed: int) -> Iterator[Case]:
    source = np.random.default_rng(seed)
    scores: list[tuple[str, Score]] = []
    for groove in GROOVES.values():
        scores.append(("drums", drums_alone(groove, source)))
        if source.random() < 0.6:
            scores.append(("band", band(groove, source)))
    for tune in TUNES.values():
        scores += [("tune", tune_score(tune, source)) for _ in range(2)]
    scores = [(family, _shortened(score)) for family, score in scores]
    for part in np.array_split(source.permutation(len(scores)), 4):
        for piece in play([scores[i] for i in part], font, source):
            bar = beats_of_a_bar(piece.metre)
            cut = round(source.uniform(0, 1.2 * bar * 60 / piece.bpm) * SAMPLE_RATE)
            y = piece.features.y[cut:].copy()
            features = Features(y, len(y) / SAMPLE_RATE)
            if bar not in BARS or features.is_silent:
                continue
            beats = beat_times(features.onsets.novelty, piece.bpm)
            begins = piece.bars - cut / SAMPLE_RATE
            near = np.abs(beats[:, None] - begins).min(axis=1)
            is_first = near < _ON_THE_BEAT * 60 / piece.bpm
            counts = [int(is_first[place::bar].sum()) for place in range(bar)]
            if len(beats) < 2 * bar or max(counts) < _TRACKED * len(beats) / bar:
                continue
            seen = accents(features, beats)
            means = np.array([seen[place::bar].mean(axis=0) for place in range(bar)])
            traits, right = means - means.mean(axis=0), int(np.argmax(counts))
            yield Case(piece.style, font.stem, bar, traits, right, (len(beats) / bar) ** 0.5)


def _shortened(score: Score) -> Score:
    bar = beats_of_a_bar(score.metre)
    beats = int(min(_MOST_BEATS, score.bpm * _MOST_SECONDS / 60)) // bar * bar + bar
    notes = [note for note in score.notes if note.beat < beats]
    return score._replace(beats=min(score.beats, float(beats)), notes=notes)


def fit(cases: list[Case]) -> np.ndarray:
    """Weights `(traits,)`: a conditional logit of which beat of the bar is the first."""
    traits = np.array([case.traits for case in cases])
    right = np.array([case.right for case in cases])
    scale = traits.std(axis=(0, 1)) + 1e-3
    x = traits / scale * np.array([case.weight for case in cases])[:, None, None]
    each = np.arange(len(right))

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        utility = x @ weights
        share = np.exp(utility - utility.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        total = -np.log(share[each, right] + 1e-12).sum() + PENALTY / 2 * weights @ weights
        slope = np.einsum("ip,ipt->t", share, x) - x[each, right].sum(axis=0)
        return float(total), slope + PENALTY * weights

    start = np.zeros(x.shape[2])
    return minimize(loss, start, jac=True, method="L-BFGS-B").x / scale


def report(known: list[Case]) -> None:
    """Prints what is right of each soundfont, by weights fitted without it."""
    right: dict[tuple[int, str], list[bool]] = defaultdict(list)
    for font in {case.font for case in known}:
        for bar in BARS:
            ours = [case for case in known if case.bar == bar]
            weights = fit([case for case in ours if case.font != font])
            for case in ours:
                if case.font == font:
                    answer = int(np.argmax(case.traits @ weights))
                    right[bar, case.family].append(answer == case.right)
    for (bar, family), answers in sorted(right.items()):
        print(f"{bar} beats, {family}: {np.mean(answers):.2f} of {len(answers)}")


def main() -> None:
    fonts = SOUNDFONTS * ROUNDS
    with ProcessPoolExecutor() as pool:
        known = [case for part in pool.map(cases, fonts, range(len(fonts))) for case in part]
    report(known)
    weights = [fit([case for case in known if case.bar == bar]) for bar in BARS]
    np.savez_compressed(MODEL, weights=np.array(weights, np.float32))


if __name__ == "__main__":
    main()
