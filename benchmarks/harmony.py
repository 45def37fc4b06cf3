# ruff: noqa: E501, the tables are read line by line
"""What tunes and bands have in common: scales and progressions, instruments, rhythms of a bar."""

from typing import NamedTuple

import numpy as np

from benchmarks.score import Note

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_PROGRESSIONS = (
    (0, 3, 4, 0), (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 0, 3, 4), (0, 5, 1, 4), (0, 6, 5, 6),
)  # fmt: skip
BASSES, CHORDS = (32, 33, 34, 36, 38, 39), (0, 1, 4, 5, 16, 24, 25, 26, 27, 29, 48, 81)
LEADS = (0, 11, 22, 25, 40, 52, 56, 65, 71, 73, 75, 80, 81, 21, 105)
PADS = (48, 49, 50, 51, 52, 61, 88, 89, 90, 91, 92, 94, 95)
SYNTHS = (80, 81, 82, 84, 85, 87, 62, 63, 7, 11, 5, 45, 46)


class Harmony(NamedTuple):
    tonic: int
    scale: tuple[int, ...]
    degrees: tuple[int, ...]

    def pitch(self, degree: int, low: int) -> int:
        """The degree of the scale, counted from the tonic at or above the pitch `low`."""
        root = low + (self.tonic - low) % 12
        return root + 12 * (degree // 7) + self.scale[degree % 7]


def harmony(source: np.random.Generator) -> Harmony:
    scale = MAJOR if source.random() < 0.55 else MINOR
    return Harmony(int(source.integers(12)), scale, _PROGRESSIONS[source.integers(7)])


def triad(
    key: Harmony, degree: int, at: float, long: float, source: np.random.Generator
) -> list[Note]:
    loud = source.uniform(0.35, 0.6)
    return [Note(at, long, 1, key.pitch(degree + third, 50), loud) for third in (0, 2, 4)]


_CELLS: dict[str, dict[tuple[float, ...], float]] = {
    "folk": {(1,): 2, (0.5, 0.5): 5, (0.75, 0.25): 1, (0.5, 0.25, 0.25): 0.5, (2,): 0.5, (1.5, 0.5): 0.6},
    "reel": {(0.5, 0.5): 12, (1,): 1, (0.25, 0.25, 0.5): 0.5},
    "hornpipe": {(0.75, 0.25): 6, (0.5, 0.5): 1, (1,): 1},
    "sixteenths": {(0.25,) * 4: 7, (0.5, 0.25, 0.25): 1, (0.5, 0.5): 1, (1,): 0.5},
    "running": {(0.25,) * 4: 6, (0.5, 0.25, 0.25): 2, (0.5, 0.5): 1, (0.25, 0.25, 0.5): 1, (1,): 0.4},
    "dotted sixteenths": {(0.375, 0.125) * 2: 6, (0.25,) * 4: 1, (0.5, 0.5): 1},
    "snaps": {(0.75, 0.25): 5, (0.25, 0.75): 3, (1,): 1, (0.5, 0.5): 1},
    "running triplets": {(1 / 3,) * 3: 8, (2 / 3, 1 / 3): 2.5, (1,): 0.5},
    "hymn": {(1,): 8, (0.5, 0.5): 2, (2,): 1, (1.5, 0.5): 0.4},
    "hymn in three": {(1, 1, 1): 5, (2, 1): 4, (1.5, 0.5, 1): 0.7, (1, 0.5, 0.5, 1): 0.7},
    "song": {(1,): 1, (0.5, 0.5): 3, (0.25, 0.25, 0.5): 2, (0.5, 0.25, 0.25): 2, (0.25, 0.5, 0.25): 2,
             (0.75, 0.25): 1.5, (0.25,) * 4: 1, (2,): 0.5, (1.5, 0.25, 0.25): 0.6},
    "pop": {(1,): 2, (0.5, 0.5): 4, (0.75, 0.25): 0.7, (1.5, 0.5): 1, (2,): 0.7, (0.5, 1, 0.5): 1.5,
            (0.25, 0.25, 0.5): 0.5},
    "triplet": {(1,): 2, (1 / 3, 1 / 3, 1 / 3): 4, (2 / 3, 1 / 3): 4, (2,): 0.5},
    "riff": {(0.25,) * 4: 3, (0.5, 0.5): 3, (0.75, 0.75, 0.5): 2, (0.75, 0.25): 1, (0.5, 0.25, 0.25): 1, (1,): 1},
    "half riff": {(0.5,) * 4: 3, (1, 1): 3, (1.5, 1.5, 1): 2, (1.5, 0.5): 1, (2,): 2, (1, 0.5, 0.5): 1},
}  # fmt: skip


def rhythm(beats: int, cells: str, source: np.random.Generator) -> list[tuple[float, float]]:
    """Beginnings and lengths, in beats, that fill a bar."""
    names = list(_CELLS[cells])
    chances = np.array(list(_CELLS[cells].values()))
    at = 0.0
    found: list[tuple[float, float]] = []
    while at < beats - 1e-6:
        cell = names[source.choice(len(names), p=chances / chances.sum())]
        if at + sum(cell) > beats + 1e-6:
            continue
        for long in cell:
            found.append((at, long))
            at += long
    return found
