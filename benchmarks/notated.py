"""Make a set of music that nothing was learnt from, to judge tempo, key and metre on:

    pip install music21
    python -m benchmarks.notated FOLDER
    python -m benchmarks.accuracy FOLDER

Scores of the corpus that music21 (PyPI) carries, played by fluidsynth: Bach's chorales; the airs
that James Aird printed from 1778 on, which their editor gave tempos; and Ryan's fiddle tunes of
1883. FOLDER gets the sounds and manifest.csv. Where the notes do not say a tempo it is drawn from
what such music is played at. Tunes are played alone, and as written: every note as loud.
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from benchmarks.manifest import COLUMNS
from benchmarks.soundfont import note, program, render, soundfonts

RATE = 44_100
SECONDS = 30.0
FIDDLE_PROGRAMS = (0, 21, 40, 72, 73, 105)
CHORAL_PROGRAMS = (0, 19, 48, 52, 60)

DANCES = {
    "reel": (96, 116),
    "jig": (104, 128),
    "hornpipe": (76, 100),
    "clog": (76, 100),
    "strathspey": (116, 152),
    "fling": (116, 152),
}
"""Beats a minute of the dances in Ryan's collection: halves of C|, dotted quarters of jigs,
quarters otherwise."""

CHORALES = 60, 100

ASKED = "2/4", "3/4", "4/4", "6/8"
"""Metres that are written into the table: alla breve is a way to write 4/4."""


class Piece(NamedTuple):
    """`notes`: quarters at which each begins, quarters it lasts, its key; `beat` in quarters."""

    source: str
    name: str
    bpm: float
    beat: float
    tonic: str
    mode: str
    metre: str
    notes: list[tuple[float, float, int]]
    programs: tuple[int, ...]


def chorales(corpus: Any, r: np.random.Generator) -> Iterator[Piece]:
    for path in corpus.getCorePaths():
        if not re.match(r"bwv\d+\.\d+\.mxl", path.name):
            continue
        score = corpus.parse(path)
        metre = _metre(score)
        if len(score.parts) != 4 or metre not in ("3/4", "4/4") or not (key := _last_key(score)):
            continue
        bpm = round(float(r.uniform(*CHORALES)))
        yield Piece("chorales", path.stem, bpm, 1.0, *key, metre, _notes(score), CHORAL_PROGRAMS)


def aird(corpus: Any) -> Iterator[Piece]:
    for book in corpus.getCorePaths():
        if book.parent.name != "airdsAirs":
            continue
        for number, tune in enumerate(corpus.parse(book).scores):
            marks = list(tune.recurse().getElementsByClass("MetronomeMark"))
            metre, key = _metre(tune), _key(tune)
            if len(marks) == 1 and metre and key and marks[0].number:
                beat = float(marks[0].referent.quarterLength)
                name = f"{book.stem}-{number}"
                yield Piece(
                    "aird", name, marks[0].number, beat, *key, metre, _notes(tune), FIDDLE_PROGRAMS
                )


def ryan(corpus: Any, r: np.random.Generator) -> Iterator[Piece]:
    for path in corpus.getCorePaths():
        if path.parent.name != "ryansMammoth":
            continue
        text = path.read_text(errors="replace").lower()
        told = re.search(r"^r:\s*(slip ?jig)?\s*(?:highland )?(\w+)", text, re.MULTILINE)
        if not told or told[1] or told[2] not in DANCES:
            continue
        tune = corpus.parse(path)
        metre, key = _metre(tune), _key(tune)
        beat = {"2/2": 2.0, "6/8": 1.5}.get(metre, 1.0)
        if metre and key:
            bpm = round(float(r.uniform(*DANCES[told[2]])))
            yield Piece("ryan", path.stem, bpm, beat, *key, metre, _notes(tune), FIDDLE_PROGRAMS)


def _metre(score: Any) -> str:
    """Of a score that keeps to one, otherwise empty."""
    found = {mark.ratioString for mark in score.recurse().getElementsByClass("TimeSignature")}
    return found.pop() if len(found) == 1 else ""


def _key(score: Any) -> tuple[str, str] | None:
    """As it is signed, where that is one major or minor."""
    keys = {
        (key.tonic.name.replace("-", "b"), key.mode)
        for key in score.recurse().getElementsByClass("Key")
    }
    key = keys.pop() if len(keys) == 1 else None
    return key if key and key[1] in ("major", "minor") else None


def _last_key(score: Any) -> tuple[str, str] | None:
    """A chorale ends on its tonic: major or minor by what is signed, None where neither fits."""
    signed = {key.sharps for key in score.recurse().getElementsByClass("KeySignature")}
    last = score.parts[-1].flatten().notes.last()
    if len(signed) != 1 or last is None or not last.isNote:
        return None
    sharps = signed.pop()
    modes = {7 * sharps % 12: "major", (7 * sharps + 9) % 12: "minor"}
    mode = modes.get(last.pitch.pitchClass)
    return (last.pitch.name.replace("-", "b"), mode) if mode else None


def _notes(score: Any) -> list[tuple[float, float, int]]:
    return [
        (float(each.offset), float(each.quarterLength), pitch.midi)
        for each in score.flatten().notes
        if each.quarterLength and "Harmony" not in each.classes
        for pitch in each.pitches
    ]


def played(piece: Piece, r: np.random.Generator) -> np.ndarray:
    """`(n,)` float32 at RATE: from the first note on, again and again until it is long enough."""
    quarter = 60 / piece.bpm / piece.beat
    length = max(begin + lasts for begin, lasts, _ in piece.notes)
    bar = float(4 * Fraction(piece.metre))
    # A tune that begins with a pickup ends with what that leaves of a bar.
    whole = bar * max(1, round(length / bar))
    fonts = list(soundfonts().values())
    events = [program(0, 0, int(r.choice(piece.programs)))]
    begin = 0.0
    while begin * quarter < SECONDS:
        for at, lasts, pitch in piece.notes:
            events += note((begin + at) * quarter, 0.95 * lasts * quarter, 0, pitch, 90)
        begin += whole
    y = render(events, fonts[r.integers(len(fonts))], RATE)
    return y[: round(SECONDS * RATE)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=120, help="pieces of each collection")
    arguments = parser.parse_args()
    from music21 import corpus  # pyright: ignore[reportMissingImports]

    r = np.random.default_rng(0)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    count: Counter[str] = Counter()
    with (arguments.folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="")
        table.writeheader()
        for found in (chorales(corpus, r), aird(corpus), ryan(corpus, r)):
            pieces = list(found)
            for i in sorted(r.permutation(len(pieces))[: arguments.each]):
                piece = pieces[i]
                path = arguments.folder / f"{piece.source} {piece.name}.wav"
                soundfile.write(path, played(piece, r), RATE, subtype="PCM_16")
                table.writerow(
                    {
                        "path": path.name,
                        "source": piece.source,
                        "kind": "TRACK",
                        "tempo": f"{piece.bpm:g}",
                        "key": piece.tonic,
                        "mode": piece.mode,
                        "metre": piece.metre if piece.metre in ASKED else "",
                    }
                )
                count[piece.source] += 1
    for source, number in count.items():
        print(f"{source}: {number} pieces")


if __name__ == "__main__":
    main()
