"""Fit the weights of samplemind.audio.tempo, metre and kind on sounds of known rhythm.

    pip install torch
    python -m benchmarks.fit_rhythm MANIFEST.csv

The manifest has the columns `path`, `tempo` (beats a minute, or empty), `metre` (like 4/4, or
empty), `kind` (ONE_SHOT, LOOP or other), `label` and `source`: collections count by the root of
their size. Prints how many answers are right (tempo within 4 %) on sources left out, writes
tempo.npz, metre.npz and kind.npz in samplemind/audio. What is learnt from, beside the manifest, is
played from its labelled hits and breaks (drum_loops.py) or made up (played_music.py). Takes about
three quarters of an hour on two cores.
"""

import csv
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.drum_loops import break_edits, drum_loops, tapes
from benchmarks.fit_kind import KindCase, held_tones, kind_model
from benchmarks.fit_metre import MetreCase, metre_case, metre_model
from benchmarks.fit_tempo import Case, tempo_case, tempo_model
from benchmarks.played_music import loops, one_shots, pieces
from samplemind.audio import kind
from samplemind.audio.analyze import listen
from samplemind.audio.features import Features
from samplemind.audio.kind import ONE_SHOT_SECONDS, TRACK_SECONDS, sample_kind
from samplemind.audio.network import Network
from samplemind.domain.analysis import SampleKind
from samplemind.domain.errors import DomainError

MODELS = Path("samplemind/audio")
GROOVES = "groove-a"
"""The source of what drummers played."""

LOOPS_A_STYLE = 50
EDITS = 100
TAPES = 2
"""Of each played groove."""

ROUNDS = 58
ROUNDS_OF_KIND = 6
"""Of made-up music, some 330 pieces each, and how many of them tell loops from one-shots."""

ONE_SHOTS = 240
HELD_TONES = 40

Row = dict[str, str]


class Cases(NamedTuple):
    """What each of the three models learns from."""

    tempo: list[Case]
    metre: list[MetreCase]
    kind: list[KindCase]

    def add_metre(self, source: str, bpm: float, metre: str, features: Features) -> None:
        if found := metre_case(source, bpm, metre, features):
            self.metre.append(found)

    def add_kind(self, source: str, features: Features, *, is_loop: bool) -> None:
        # What length decides is not asked.
        if ONE_SHOT_SECONDS <= features.seconds < TRACK_SECONDS:
            self.kind.append(KindCase(source, kind.traits(features), is_loop))


def main() -> None:
    cases = Cases([], [], [])
    with Path(sys.argv[1]).open(newline="") as file:
        rows = [
            {**row, "path": str(Path(sys.argv[1]).parent / row["path"])}
            for row in csv.DictReader(file)
        ]
    heard = list(known_sounds(rows))
    for row, features in heard:
        add_known(cases, row, features)
    add_played(cases, heard)
    add_made_up(cases)
    write("tempo", tempo_model(cases.tempo))
    write("metre", metre_model(cases.metre))
    write("kind", kind_model(cases.kind))


def known_sounds(rows: list[Row]) -> Iterator[tuple[Row, Features]]:
    for row in rows:
        try:
            yield row, listen(Path(row["path"]), with_loudness=False).features
        except DomainError as error:
            print(row["path"], error.message)


def add_known(cases: Cases, row: Row, features: Features) -> None:
    if row["tempo"]:
        is_loop = (row["kind"] or sample_kind(features)) == SampleKind.LOOP
        bpm = float(row["tempo"])
        cases.tempo.append(tempo_case(row["source"], bpm, features, is_loop=is_loop))
        cases.add_metre(row["source"], quarters_to_beats(row), row["metre"], features)
    if row["kind"] in (SampleKind.LOOP, SampleKind.ONE_SHOT):
        cases.add_kind(row["source"], features, is_loop=row["kind"] == SampleKind.LOOP)


def quarters_to_beats(row: Row) -> float:
    """Played grooves in 6/8 are labelled with quarters a minute, a beat being three eighths."""
    counts_quarters = row["source"] == GROOVES and row["metre"] == "6/8"
    return float(row["tempo"]) / (1.5 if counts_quarters else 1)


def add_played(cases: Cases, heard: list[tuple[Row, Features]]) -> None:
    """Loops of the hits and breaks that have been heard."""
    hits: dict[str, list[Path]] = {}
    breaks: list[tuple[Path, int]] = []
    for row, features in heard:
        is_loop = row["kind"] == SampleKind.LOOP
        if row["label"] and not is_loop:
            hits.setdefault(row["label"], []).append(Path(row["path"]))
        if row["tempo"] and row["label"] == "drum loop" and is_loop:
            beats = round(features.seconds * float(row["tempo"]) / 60)
            breaks.append((Path(row["path"]), beats))
    for loop in drum_loops(hits, LOOPS_A_STYLE):
        is_loop = sample_kind(loop.features) is SampleKind.LOOP
        source = f"hits:{loop.style}"
        cases.tempo.append(tempo_case(source, loop.bpm, loop.features, is_loop=is_loop))
        cases.add_metre(source, loop.bpm, "4/4", loop.features)
    for loop in break_edits(breaks, EDITS):
        cases.tempo.append(tempo_case("edits", loop.bpm, loop.features, is_loop=True))
        cases.add_metre("edits", loop.bpm, "4/4", loop.features)
    grooves = [
        (features, float(row["tempo"])) for row, features in heard if row["source"] == GROOVES
    ]
    for loop in tapes(grooves, TAPES):
        cases.tempo.append(tempo_case("tapes", loop.bpm, loop.features, is_loop=False))
    for loop in drum_loops(hits, 5, seed=1):
        cases.add_kind("hits", loop.features, is_loop=True)


def add_made_up(cases: Cases) -> None:
    with ProcessPoolExecutor() as pool:
        for made in pool.map(made_up, range(ROUNDS)):
            cases.tempo.extend(made.tempo)
            cases.metre.extend(made.metre)
            cases.kind.extend(made.kind)
    for piece in one_shots(ONE_SHOTS):
        cases.add_kind("made up", piece.features, is_loop=False)
    for features in held_tones(HELD_TONES):
        cases.add_kind("made up", features, is_loop=False)


def made_up(seed: int) -> Cases:
    """A round of made-up music."""
    cases = Cases([], [], [])
    for piece in (*pieces(1, seed), *loops(1, seed)):
        source = f"made up:{piece.style}"
        cases.tempo.append(tempo_case(source, piece.bpm, piece.features, is_loop=piece.is_loop))
        if piece.is_loop and seed < ROUNDS_OF_KIND:
            cases.add_kind("made up", piece.features, is_loop=True)
        metre = "{}/{}".format(*piece.metre)
        cases.add_metre(source, piece.bpm, metre, piece.features)
    return cases


def write(name: str, net: Network | kind.Model) -> None:
    parts = {name: np.float32(part) for name, part in net._asdict().items()}
    np.savez_compressed(MODELS / f"{name}.npz", allow_pickle=False, **parts)


if __name__ == "__main__":
    main()
