# ruff: noqa: E501, the tables are read line by line
"""Tunes with what accompanies them: folk dances, chorales, ballads and other music for the piano."""

from typing import NamedTuple

import numpy as np

from benchmarks.grooves import CRASH, HAT, KICK, SNARE
from benchmarks.harmony import LEADS, Harmony, harmony, rhythm, triad
from benchmarks.score import Note, Score
from benchmarks.soundfont import DRUMS


class Tune(NamedTuple):
    """Tempos in beats a minute, beats of a bar, and how many pieces of a round are such."""

    slowest: float
    fastest: float
    beats: int
    cells: str
    accompaniment: str
    denominator: int = 4
    often: int = 3


TUNES = {
    "folk": Tune(76, 152, 4, "folk", "oom-pah"),
    "reel": Tune(76, 152, 4, "reel", "oom-pah"),
    "hornpipe": Tune(70, 140, 4, "hornpipe", "oom-pah"),
    "tune alone": Tune(72, 150, 4, "reel", ""),
    "song alone": Tune(72, 150, 4, "folk", ""),
    "dance of sixteenths": Tune(60, 110, 2, "sixteenths", "oom-pah"),
    "air of sixteenths": Tune(56, 112, 4, "running", ""),
    "reel in two": Tune(84, 124, 2, "running", "oom-pah"),
    "reel in two, alone": Tune(84, 124, 2, "running", ""),
    "hornpipe in two": Tune(66, 104, 2, "dotted sixteenths", "oom-pah"),
    "strathspey": Tune(96, 152, 4, "snaps", "oom-pah", often=2),
    "march in two": Tune(84, 126, 2, "folk", "", often=2),
    "polka tune": Tune(76, 150, 2, "folk", "oom-pah"),
    "waltz tune": Tune(80, 180, 3, "folk", "oom-pah"),
    "jig": Tune(76, 150, 2, "triplet", "oom-pah", 8),
    "jig alone": Tune(72, 150, 2, "triplet", "", 8),
    "jig of eighths": Tune(92, 132, 2, "running triplets", "", 8),
    "slip jig": Tune(80, 150, 3, "triplet", "oom-pah", 8, often=1),
    "chorale": Tune(56, 132, 4, "hymn", "chorale", often=8),
    "chorale in three": Tune(64, 140, 3, "hymn in three", "chorale", often=1),
    "piano ballad": Tune(54, 90, 4, "song", "arpeggio"),
    "piano ballad, sixteenths": Tune(52, 84, 4, "song", "sixteenths"),
    "piano ballad, chords": Tune(54, 92, 4, "song", "chords"),
    "piano pop": Tune(84, 140, 4, "pop", "arpeggio"),
    "piano pop, chords": Tune(84, 144, 4, "pop", "chords"),
    "piano waltz": Tune(76, 160, 3, "pop", "oom-pah", often=2),
    "six-eight ballad": Tune(48, 76, 2, "triplet", "arpeggio", 8),
    "study": Tune(60, 132, 4, "sixteenths", "chords"),
    "minuet": Tune(90, 150, 3, "folk", "chords", often=2),
}


def tune_score(tune: Tune, source: np.random.Generator) -> Score:
    bpm = float(np.exp(source.uniform(np.log(tune.slowest), np.log(tune.fastest))))
    beats, key = tune.beats, harmony(source)
    bars = int(source.integers(36, 64)) // beats
    if tune.accompaniment == "oom-pah" and source.random() < 0.25:
        tune = tune._replace(accompaniment="")
    is_compound = tune.denominator == 8
    eighth = 1 / 3 if is_compound else 1 / 2
    length = bars * beats
    motifs = [rhythm(beats, tune.cells, source) for _ in range(4)]
    form = source.choice([(0, 1, 0, 2), (0, 0, 1, 2), (0, 1, 2, 3), (0, 0, 0, 1)])
    likely = source.uniform(0.75, 1)
    manner = source.choice(["off", "on", "held"])
    notes: list[Note] = []
    degree = 4
    arpeggio = source.permutation([0, 4, 7, 9, 7, 4, 2, 4])
    block = source.random(2 * beats) < source.choice([0.3, 0.6])
    block[0] = True
    on_beats = source.random() < 0.5
    if tune.accompaniment == "chorale":
        notes = _chorale(key, tune, bars, source)
        bars = 0
    for bar in range(bars):
        begin = bar * beats
        chord = key.degrees[(bar // int(1 + (bpm > 100))) % 4]
        motif = (
            motifs[form[bar % 4]] if source.random() < likely else rhythm(beats, tune.cells, source)
        )
        for at, long in motif:
            degree = int(np.clip(degree + source.integers(-2, 3), 0, 11))
            accent = 0.15 * (at == 0)
            if not (tune.accompaniment and source.random() < 0.06):
                loud = source.uniform(0.6, 0.8) + accent
                notes.append(Note(begin + at, 0.9 * long, 2, key.pitch(degree, 60), loud))
        if tune.accompaniment == "oom-pah":
            notes += _oom_pah(key, chord, tune, begin, manner, source)
        elif tune.accompaniment in ("arpeggio", "sixteenths"):
            step = eighth if tune.accompaniment == "arpeggio" else 0.25
            for i in range(round(beats / step)):
                low = key.pitch(chord + int(arpeggio[i % (6 if is_compound else 8)]), 40)
                notes.append(Note(begin + i * step, 0.5, 1, low, source.uniform(0.4, 0.6)))
            notes.append(Note(begin, beats, 0, key.pitch(chord, 30), 0.6))
        elif tune.accompaniment == "chords":
            for i in range(2 * beats):
                if (i % 2 == 0 and on_beats) or (not on_beats and block[i]):
                    notes += triad(key, chord, begin + i / 2, 0.5, source)
            notes.append(Note(begin, beats / 2, 0, key.pitch(chord, 30), 0.6))
    if tune.accompaniment == "oom-pah" and source.random() < 0.25:
        thump, tick = (CRASH, HAT) if source.random() < 0.1 else (KICK, SNARE)
        for beat in range(bars * beats):
            drum = thump if beat % beats == 0 or (beats == 4 and beat % 4 == 2) else tick
            notes.append(Note(float(beat), 0.1, DRUMS, drum, source.uniform(0.4, 0.6)))
    if source.random() < 0.35:
        # As notation is played by programs: nothing is stressed.
        notes = [note._replace(loud=0.7) for note in notes]
    solo = int(source.choice(LEADS))
    piano = int(source.choice([0, 0, 1, 2, 4, 5, 24, 46]))
    if tune.accompaniment == "chorale":
        piano = int(source.choice([0, 6, 16, 19, 48, 52, 56, 60, 71]))
    if tune.accompaniment not in ("", "oom-pah") and source.random() < 0.7:
        solo = piano
    programs = {0: piano if source.random() < 0.6 else 32, 1: piano, 2: solo, 3: piano}
    metre = (3 * beats, 8) if is_compound else (beats, 4)
    uneven = float(source.choice([0.0, 0.002, 0.008, 0.015]))
    return Score(bpm, metre, length, notes, programs, uneven)


def _oom_pah(
    key: Harmony, chord: int, tune: Tune, begin: float, manner: str, source: np.random.Generator
) -> list[Note]:
    """A bar of bass and chords: after the bass, on every beat, or held."""
    beats, is_compound = tune.beats, tune.denominator == 8
    notes: list[Note] = []
    for beat in range(beats):
        if beat == 0 or (beats == 4 and beat == 2) or (is_compound and manner != "held"):
            low = key.pitch(chord + (4 if beat else 0), 38)
            notes.append(Note(begin + beat, 0.8, 0, low, source.uniform(0.6, 0.8)))
        if manner == "held":
            if beat == 0:
                notes += triad(key, chord, begin, 0.95 * beats, source)
        elif manner == "on":
            notes += triad(key, chord, begin + beat, 0.7, source)
        elif is_compound:
            notes += triad(key, chord, begin + beat + 2 / 3, 0.3, source)
        elif beats == 2:
            notes += triad(key, chord, begin + beat + 1 / 2, 0.4, source)
        elif beat and not (beats == 4 and beat == 2):
            notes += triad(key, chord, begin + beat, 0.4, source)
    return notes


def _chorale(key: Harmony, tune: Tune, bars: int, source: np.random.Generator) -> list[Note]:
    """Lines of a hymn in four voices that change together, with passing notes; each line comes to
    rest on its last chord, and most begin before the bar."""
    phrase = int(source.choice([2, 2, 2, 4])) * (1 if tune.beats == 4 else 2)
    pickup = float(source.random() < 0.65)
    passing = source.uniform(0.02, 0.25)
    notes: list[Note] = []

    def sound(at: float, long: float, *, moves: bool = True) -> None:
        chord = int(source.choice([0, 3, 4, 5, 1]))
        for channel, low in enumerate((40, 50, 57, 64)):
            pitch = key.pitch(chord + 2 * int(source.integers(3)), low)
            loud = source.uniform(0.55, 0.7)
            if moves and long == 1 and source.random() < passing:
                notes.append(Note(at, 0.5, channel, pitch, loud))
                notes.append(Note(at + 0.5, 0.5, channel, pitch + 2, loud))
            else:
                notes.append(Note(at, long, channel, pitch, loud))

    for bar in range(bars):
        begin = bar * tune.beats
        is_last = bar % phrase == phrase - 1
        rest = tune.beats - (2 if tune.beats == 4 else 3) if is_last else tune.beats
        for at, long in rhythm(rest, tune.cells, source) if rest else ():
            sound(begin + at, long)
        if is_last:
            sound(begin + rest, tune.beats - rest - pickup, moves=False)
            if pickup:
                sound(begin + tune.beats - 1, 1)
    return notes
