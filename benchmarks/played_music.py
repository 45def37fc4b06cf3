# ruff: noqa: E501, the tables are read line by line
"""Music of known tempo and metre, made up bar by bar and played by fluidsynth from soundfonts.

What a drummer, a folk band, a pianist or a producer would write, at the tempos they write it at:
patterns with fills, ghost notes, swing and the unevenness of hands. An estimator learns from it
which octave a pattern means; no two pieces are alike.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soundfile

from samplemind.audio.features import Features
from samplemind.audio.spectrum import SAMPLE_RATE

SOUNDFONTS = [
    path
    for path in (
        Path("/usr/share/sounds/sf2/TimGM6mb.sf2"),
        Path("/usr/share/sounds/sf2/sf_GMbank.sf2"),
        Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
        Path("/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"),
        Path("/usr/share/sounds/sf3/MuseScore_General.sf3"),
    )
    if path.exists()
]

KICK, STICK, SNARE, CLAP, HAT, PEDAL, OPEN, CRASH, RIDE, BELL = (
    36, 37, 38, 39, 42, 44, 46, 49, 51, 53,
)  # fmt: skip
_TOMS = (50, 48, 47, 45, 43, 41)
_DRUMS = 9
_KITS = (0, 8, 16, 24, 25, 32, 40)


class Groove(NamedTuple):
    """Tempos in beats a minute; beats and steps of a bar; what is struck at each step.

    x: always, o: half of the time, g: softly, half of the time.
    """

    slowest: float
    fastest: float
    beats: int
    kick: str
    snare: str
    hat: str
    denominator: int = 4
    backbeat: int = SNARE
    cymbal: int = HAT


GROOVES = {
    "rock": Groove(85, 145, 4, "x.....o.x.o...o.", "....x..g.g..x..g", "x.x.x.x.x.x.x.x."),
    "rock, driven": Groove(
        100, 165, 4, "x.o.o.x.x.o.o.o.", "....x.......x...", "x.x.x.x.x.x.x.x.", cymbal=RIDE
    ),
    "pop": Groove(80, 130, 4, "x.....x.x.......", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "ballad": Groove(52, 84, 4, "x......xx.o....o", "....x.......x..o", "x.x.x.x.x.x.x.xo"),
    "slow sixteenths": Groove(55, 100, 4, "x..o..o.x.o..o..", "....x..g.g..x..g", "xxxxxxxxxxxxxxxx"),
    "quarters": Groove(85, 140, 4, "x.....o.x.o.....", "....x.......x...", "x...x...x...x..."),
    "punk": Groove(140, 200, 4, "x.....x.x.o.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "punk, fast": Groove(150, 210, 4, "x.....o.x.....o.", "....x.......x...", "x...x...x...x..."),
    "metal": Groove(100, 180, 4, "xoxoxoxoxoxoxoxo", "....x.......x...", "x...x...x...x...", cymbal=RIDE),
    "half time": Groove(110, 160, 4, "x.....o...o...o.", "........x.......", "x.x.x.x.x.x.x.x."),
    "funk": Groove(84, 120, 4, "x.o..ox...xo..o.", "....x..g.g.gx..g", "xxxxxxxxxxxxxxxx"),
    "funk, eighths": Groove(84, 124, 4, "x.o....x.ox.....", "....x..g.gg.x..x", "x.x.x.x.x.x.x.xo"),
    "new orleans": Groove(84, 126, 4, "x..x..x...x.x...", "g.xg.gxgg.xg.xgg", "x.......x......."),
    "soul": Groove(80, 122, 4, "x..o..x.x..o..x.", "....x..g....x..g", "x.x.x.x.x.x.x.x."),
    "motown": Groove(96, 136, 4, "x.....x.x.....x.", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
    "disco": Groove(108, 132, 4, "x...x...x...x...", "....x.......x...", "x.o.x.o.x.o.x.o."),
    "four on the floor": Groove(112, 138, 4, "x...x...x...x...", "....o.......o...", "..x...x...x...x."),
    "hip-hop": Groove(66, 104, 4, "x.o....o..x..o.o", "....x..g....x...", "x.x.x.x.x.x.x.xo"),
    "trap": Groove(125, 155, 4, "x.....o...o..o..", "........x.......", "xoxoxoxoxoxoxoxo", backbeat=CLAP),
    "drum & bass": Groove(160, 182, 4, "x.........x..o..", "....x..g.g..x..g", "x.x.x.x.x.x.x.x."),
    "jungle": Groove(155, 178, 4, "x.x.......xo....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x.", cymbal=RIDE),
    "breakbeat": Groove(105, 142, 4, "x.x...o...xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x."),
    "one drop": Groove(62, 92, 4, "........x.......", "........x......o", "x.x.x.x.x.x.x.x.", backbeat=STICK),
    "steppers": Groove(64, 92, 4, "x...x...x...x...", "........x.......", "xox.xox.xox.xox.", backbeat=STICK),
    "train": Groove(78, 130, 4, "x...x...x...x...", "xgxgxgxxxgxgxgxx", "....x.......x...", cymbal=PEDAL),
    "country": Groove(76, 130, 4, "x.......x.......", "....x.......x...", "x.x.x.x.x.x.x.x.", backbeat=STICK),
    "second line": Groove(85, 128, 4, "x.....x.....x...", "x.gxg.xgg.xgx.xg", "....x.......x...", cymbal=PEDAL),
    "march": Groove(90, 130, 4, "x.......x.......", "x.xxx.xxx.xxxxxx", "....x.......x...", cymbal=PEDAL),
    "samba": Groove(84, 128, 4, "x..xx..xx..xx..x", "x.ox.oxo.ox.ox.o", "xxxxxxxxxxxxxxxx"),
    "bossa nova": Groove(110, 160, 4, "x.....x.x.....x.", "x.....x.....x...", "x.x.x.x.x.x.x.x.", backbeat=STICK),
    "baiao": Groove(84, 116, 4, "x..x..x.x..x..x.", "....x..o....x..o", "x.x.x.x.x.x.x.x."),
    "songo": Groove(84, 120, 4, "...x..x....x..x.", "..g.x.gg..g.x.gg", "x...x...x...x...", cymbal=BELL),
    "clave": Groove(84, 120, 4, "...x..x....x..x.", "x..x..x...x.x...", "x.xxx.xxx.xxx.xx", backbeat=STICK, cymbal=BELL),
    "afrobeat": Groove(88, 124, 4, "x..o..x...x..o..", "..g.x..x.g..x..x", "x.xxx.xxx.xxx.xx"),
    "highlife": Groove(96, 128, 4, "x...x...x...x...", "x..x..x...x.x...", "x.x.x.x.x.x.x.x.", backbeat=STICK),
    "maqsum": Groove(76, 112, 4, "x.......x.......", "..x...x.....x.oo", "x.x.x.x.x.x.x.x."),
    "shuffle": Groove(84, 150, 4, "x....ox....o", "...x..g..x..", "x.xx.xx.xx.x"),
    "half-time shuffle": Groove(80, 124, 4, "x....o.....x", "g.g.g.x.g.g.", "x.xx.xx.xx.x"),
    "slow blues": Groove(48, 84, 4, "x....xx....o", "...x.....x..", "xxxxxxxxxxxx"),
    "swing": Groove(100, 225, 4, "g..g..g..g..", ".....g..o..g", "x..x.xx..x.x", cymbal=RIDE),
    "swing, two": Groove(100, 200, 4, "x.....x.....", "...o.....o.g", "x..x.xx..x.x", cymbal=HAT),
    "swing, fast": Groove(150, 225, 4, "g...g...g...g.o.", "..g...o...g...o.", "x...x.x.x...x.x.", cymbal=RIDE),
    "swing, free": Groove(130, 225, 4, "o.....o...o...g.", "..o.g...o.o...g.", "x...x.x.x...x.x.", cymbal=RIDE),
    "swing, sticks": Groove(110, 215, 4, "o.......o.....o.", "g...x.g.g...x.g.", "x...x.x.x...x.x.", backbeat=STICK, cymbal=RIDE),
    "brushes": Groove(90, 200, 4, "g..g..g..g..", "x..x.xx..x.x", "...x.....x..", cymbal=PEDAL),
    "jazz march": Groove(110, 190, 4, "x...o...x...o...", "x.x.x.xxx.x.x.gg", "....x.......x...", cymbal=PEDAL),
    "samba, fast": Groove(90, 130, 4, "x..xx..xx..xx..x", "g.xg.xgg.xg.xgxg", "..x...x...x...x.", cymbal=PEDAL),
    "jazz waltz, dotted": Groove(90, 205, 3, "x.....o.....", "......g...o.", "x...x.x.x.x.", cymbal=RIDE),
    "jazz waltz, two on three": Groove(95, 205, 3, "x.....x.....", "..g...o...g.", "x.....x...x.", cymbal=RIDE),
    "waltz": Groove(84, 180, 3, "x.....o.....", "....x...x...", "x.x.x.x.x.x."),
    "rock waltz": Groove(84, 160, 3, "x.....o.o...", "....g...x...", "x.x.x.x.x.x."),
    "jazz waltz": Groove(100, 200, 3, "x....o...", "....g.o.g", "x..x.xx..", cymbal=RIDE),
    "six-eight": Groove(48, 80, 2, "x...o.......", "......x.....", "x.x.x.x.x.x.", 8),
    "six-eight, march": Groove(84, 132, 2, "x....o", "o..x.o", "x.xx.x", 8),
    "bembe": Groove(80, 126, 2, "x...x...x...", "...x..g..x.g", "x.x.xx.x.x.x", 8, cymbal=BELL),
    "polka": Groove(90, 150, 2, "x...o...", "....x...", "x.x.x.x."),
    "marching two": Groove(90, 130, 2, "x.......", "x.xxx.xx", "....x...", cymbal=PEDAL),
    "five": Groove(95, 180, 5, "x.....o...x.o.......", "....o.......x...o...", "x.x.x.x.x.x.x.x.x.x.", cymbal=RIDE),
    "seven": Groove(100, 180, 7, "x.....o.x.......x...........", "....x...........o.......x...", "x.x.x.x.x.x.x.x.x.x.x.x.x.x."),
}  # fmt: skip

_BREATH = 3.0
"""Seconds between two pieces of one recording."""


class Note(NamedTuple):
    """Beats from the beginning, length in beats, velocity 0..1."""

    beat: float
    length: float
    channel: int
    pitch: int
    loud: float


class Score(NamedTuple):
    bpm: float
    metre: tuple[int, int]
    beats: float
    """Length of the whole; tempo counts these, so a beat of 6/8 is three eighths."""
    notes: list[Note]
    programs: dict[int, int]
    unevenness: float
    """Seconds by which hands miss the moment, one standard deviation."""
    is_loop: bool = False


class Event(NamedTuple):
    seconds: float
    message: bytes


class Piece(NamedTuple):
    style: str
    bpm: float
    metre: tuple[int, int]
    features: Features
    is_loop: bool


def pieces(each: int, seed: int = 0) -> Iterator[Piece]:
    """`each` pieces of every style: drums alone, drums in a band, tunes, and electronic loops."""
    for number in range(each):
        source = np.random.default_rng(seed + number)
        scores: list[tuple[str, Score]] = []
        for name, groove in GROOVES.items():
            scores.append((f"drums, {name}", drums_alone(groove, source)))
            if source.random() < 0.5:
                scores.append((f"band, {name}", band(groove, source)))
        for name, tune in TUNES.items():
            scores += [(name, tune_score(tune, source)) for _ in range(3)]
        for name in LOOPS:
            scores += [(name, electronic(name, source)) for _ in range(4)]
        order = source.permutation(len(scores))
        for part in np.array_split(order, len(SOUNDFONTS)):
            font = SOUNDFONTS[source.integers(len(SOUNDFONTS))]
            yield from play([scores[i] for i in part], font, source)


def loops(each: int, seed: int = 0) -> Iterator[Piece]:
    """`each` loops of every groove, as drums and as a band, and `each` bare pulses of every kind."""
    for number in range(each):
        source = np.random.default_rng([seed, number, 1])
        scores: list[tuple[str, Score]] = []
        for name, groove in GROOVES.items():
            scores.append((f"band loop, {name}", looped(band(groove, source), groove, source)))
            scores.append((f"stem, {name}", looped(stem(groove, source), groove, source)))
        scores += [("pulse", pulse(voice, source)) for voice in PULSES]
        font = SOUNDFONTS[source.integers(len(SOUNDFONTS))]
        yield from play(scores, font, source)


def looped(score: Score, groove: Groove, source: np.random.Generator) -> Score:
    """Its first bars, cut where they would begin again, mostly at a whole number a minute."""
    bars = int(source.choice([1, 2, 4, 8], p=[0.1, 0.3, 0.4, 0.2]))
    beats = float(bars * groove.beats)
    bpm = float(round(score.bpm)) if source.random() < 0.85 else score.bpm
    notes = [note for note in score.notes if note.beat < beats]
    return score._replace(bpm=bpm, beats=beats, notes=notes, is_loop=True)


def stem(groove: Groove, source: np.random.Generator) -> Score:
    """Drums of which not all are heard: tops without a kick, a kick alone, a snare over hats."""
    score = drums_alone(groove, source)
    pitches = sorted({note.pitch for note in score.notes})
    heard = source.choice(pitches, int(source.integers(1, min(4, len(pitches)) + 1)), replace=False)
    return score._replace(notes=[note for note in score.notes if note.pitch in heard])


PULSES = (KICK, STICK, SNARE, CLAP, HAT, RIDE, 56, 76)
"""What may strike every beat alone: drums, a cowbell, a wood block."""


def pulse(voice: int, source: np.random.Generator) -> Score:
    """A beat and nothing else, as a metronome gives it; the first of a bar may be louder."""
    bpm = float(np.exp(source.uniform(np.log(56), np.log(170))))
    bars, beats = int(source.choice([1, 2, 4, 8, 16])), int(source.choice([3, 4, 4, 4]))
    accent = source.choice([1.0, 1.4])
    notes = [
        Note(float(i), 0.1, _DRUMS, voice, 0.6 * (accent if i % beats == 0 else 1))
        for i in range(bars * beats)
    ]
    is_loop = bars < 8
    return Score(bpm, (beats, 4), bars * beats, notes, {_DRUMS: 0}, 0.0, is_loop=is_loop)


def _bars(beats: int, source: np.random.Generator) -> int:
    return int(source.integers(40, 72)) // beats


# Drums.


def drums_alone(groove: Groove, source: np.random.Generator) -> Score:
    bars = _bars(groove.beats, source)
    bpm = float(np.exp(source.uniform(np.log(groove.slowest), np.log(groove.fastest))))
    notes = drum_part(groove, bars, source)
    if source.random() < 0.15:
        # A click of sticks counts in.
        notes = [n._replace(beat=n.beat + groove.beats) for n in notes]
        notes += [Note(float(i), 0.1, _DRUMS, STICK, 0.7) for i in range(groove.beats)]
    metre = _metre(groove)
    kit = int(source.choice(_KITS))
    uneven = float(source.choice([0.003, 0.006, 0.009, 0.012]))
    return Score(bpm, metre, bars * groove.beats, notes, {_DRUMS: kit}, uneven)


def _metre(groove: Groove) -> tuple[int, int]:
    if groove.denominator == 8:
        return 3 * groove.beats, 8
    return groove.beats, 4


def drum_part(groove: Groove, bars: int, source: np.random.Generator) -> list[Note]:
    steps = len(groove.kick)
    step = groove.beats / steps
    is_straight = steps % 3 != 0 or (groove.beats == 3 and steps == 12)
    swing = float(source.choice([0, 0, 0, 0.15, 0.3])) if is_straight else 0.0
    # Jazz swings its eighths, up to a triplet's two to one.
    long_eighth = source.uniform(1 / 2, 2 / 3) if groove.cymbal == RIDE and is_straight else 1 / 2
    ghosts = source.uniform(0, 1) * float(source.random() < 0.7)
    freedom = float(source.choice([0, 0.03, 0.08, 0.15]))
    cymbal = groove.cymbal
    if cymbal == HAT and source.random() < 0.3:
        cymbal = int(source.choice([RIDE, OPEN, CRASH], p=[0.7, 0.2, 0.1]))
    accent = source.uniform(0.5, 1.0)
    foot = cymbal in (RIDE, BELL) and source.random() < 0.6
    phrase = int(source.choice([2, 4, 4, 8]))
    fills = source.random() < 0.75
    hats = source.uniform(0.25, 0.9) * float(source.random() > 0.06)
    # One bar is settled on and repeated, with some freedom.
    settled = {part: _settle(line, source) for part, line in _lines(groove).items()}
    notes: list[Note] = []

    def strike(position: float, pitch: int, loud: float) -> None:
        if loud > 0.02:
            notes.append(Note(position, 0.1, _DRUMS, pitch, loud))

    for bar in range(bars):
        begin = bar * groove.beats
        lines = settled
        if source.random() < 0.3:
            lines = {part: _settle(line, source) for part, line in _lines(groove).items()}
        last = bar % phrase == phrase - 1
        fill_from = steps
        if fills and (last or source.random() < 0.04):
            fill_from = steps - int(source.choice([1, 2, 4, 4])) * steps // max(4, groove.beats)
        if bar and bar % phrase == 0 and source.random() < 0.6:
            strike(begin, CRASH, source.uniform(0.6, 1))
        for i in range(steps):
            at = begin + i * step + swing * step * (i % 2)
            if i * groove.beats % steps * 2 == steps:
                at += long_eighth - 1 / 2
            on_beat = i * groove.beats % steps == 0
            if i >= fill_from:
                break
            if lines["kick"][i] or source.random() < freedom / 4:
                strike(at, KICK, source.uniform(0.75, 1) * lines["kick"][i] or 0.5)
            if lines["snare"][i]:
                strike(at, groove.backbeat, source.uniform(0.8, 1) * lines["snare"][i])
            elif source.random() < ghosts * 0.2 + freedom / 2:
                strike(at, groove.backbeat, source.uniform(0.15, 0.4))
            if lines["hat"][i] and source.random() > freedom / 2:
                pitch = OPEN if cymbal == HAT and source.random() < 0.03 else cymbal
                strike(at, pitch, hats * source.uniform(0.85, 1) * (1 if on_beat else accent))
            if foot and on_beat and (i * groove.beats // steps) % 2:
                strike(at, PEDAL, 0.5)
        if fill_from < steps:
            notes += fill(begin + fill_from * step, begin + groove.beats, step, source)
    return notes


def _lines(groove: Groove) -> dict[str, str]:
    return {"kick": groove.kick, "snare": groove.snare, "hat": groove.hat}


def _settle(line: str, source: np.random.Generator) -> list[float]:
    """The loudness of each step."""
    chance = {"x": (0.97, 1.0), "o": (0.5, 0.8), "g": (0.5, 0.3), ".": (0.0, 0.0)}
    return [
        loud if source.random() < likely else 0.0
        for likely, loud in (chance[mark] for mark in line)
    ]


def fill(begin: float, end: float, step: float, source: np.random.Generator) -> list[Note]:
    """A run over snare and toms, at the step or half of it or in triplets."""
    stride = step * float(source.choice([1, 1, 1, 0.5, 2, 2 / 3, 4 / 3]))
    likely = source.uniform(0.6, 1)
    moves = source.choice([SNARE, *_TOMS, KICK], 3)
    moments = np.arange(begin, end - 1e-6, stride)
    return [
        Note(float(at), 0.1, _DRUMS, int(moves[i * 3 // len(moments)]), source.uniform(0.5, 1))
        for i, at in enumerate(moments)
        if source.random() < likely
    ]


# Bands and tunes.

_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_PROGRESSIONS = (
    (0, 3, 4, 0), (0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 0, 3, 4), (0, 5, 1, 4), (0, 6, 5, 6),
)  # fmt: skip
_BASSES, _CHORDS = (32, 33, 34, 36, 38, 39), (0, 1, 4, 5, 16, 24, 25, 26, 27, 29, 48, 81)
_LEADS = (0, 11, 22, 25, 40, 52, 56, 65, 71, 73, 75, 80, 81, 21, 105)
_PADS = (48, 49, 50, 51, 52, 61, 88, 89, 90, 91, 92, 94, 95)
_SYNTHS = (80, 81, 82, 84, 85, 87, 62, 63, 7, 11, 5, 45, 46)


class Harmony(NamedTuple):
    tonic: int
    scale: tuple[int, ...]
    degrees: tuple[int, ...]

    def pitch(self, degree: int, low: int) -> int:
        """The degree of the scale, counted from the tonic at or above the pitch `low`."""
        root = low + (self.tonic - low) % 12
        return root + 12 * (degree // 7) + self.scale[degree % 7]


def harmony(source: np.random.Generator) -> Harmony:
    scale = _MAJOR if source.random() < 0.55 else _MINOR
    return Harmony(int(source.integers(12)), scale, _PROGRESSIONS[source.integers(7)])


def band(groove: Groove, source: np.random.Generator) -> Score:
    score = drums_alone(groove, source)
    bars = int(score.beats) // groove.beats
    key = harmony(source)
    notes = drum_part(groove, bars, source)
    beats = groove.beats
    kicks = [i * beats / len(groove.kick) for i, m in enumerate(groove.kick) if m != "."] or [0.0]
    if source.random() < 0.4:
        kicks = [i / 2 for i in range(2 * beats)]
    per_beat = 3 if len(groove.kick) // beats % 3 == 0 else 2
    strum = source.random(beats * per_beat) < source.choice([0.25, 0.5, 0.9])
    melody = rhythm(beats, "triplet" if per_beat == 3 else "pop", source)
    sings = source.random() < 0.7
    pad = source.random() < 0.3
    degree = 4
    for bar in range(bars):
        chord = key.degrees[bar % 4]
        begin = bar * beats
        for at in kicks:
            notes.append(Note(begin + at, 0.4, 0, key.pitch(chord, 33), source.uniform(0.6, 0.9)))
        struck = [0.0] if pad else np.flatnonzero(strum) / per_beat
        for at in struck:
            for third in (0, 2, 4):
                long = beats if pad else 0.3
                notes.append(
                    Note(
                        begin + at, long, 1, key.pitch(chord + third, 52), source.uniform(0.4, 0.7)
                    )
                )
        if sings and (bar // 4) % 4 != 3:
            for at, long in melody if bar % 4 != 3 else melody[: len(melody) // 2 + 1]:
                degree = int(np.clip(degree + source.integers(-2, 3), 0, 10))
                notes.append(
                    Note(begin + at, long, 2, key.pitch(degree, 60), source.uniform(0.6, 1))
                )
    programs = {
        0: int(source.choice(_BASSES)),
        1: int(source.choice(_PADS if pad else _CHORDS)),
        2: int(source.choice(_LEADS)),
        **score.programs,
    }
    return score._replace(notes=notes, programs=programs)


_CELLS: dict[str, dict[tuple[float, ...], float]] = {
    "folk": {(1,): 2, (0.5, 0.5): 5, (0.75, 0.25): 1, (0.5, 0.25, 0.25): 0.5, (2,): 0.5, (1.5, 0.5): 0.6},
    "reel": {(0.5, 0.5): 12, (1,): 1, (0.25, 0.25, 0.5): 0.5},
    "hornpipe": {(0.75, 0.25): 6, (0.5, 0.5): 1, (1,): 1},
    "sixteenths": {(0.25,) * 4: 7, (0.5, 0.25, 0.25): 1, (0.5, 0.5): 1, (1,): 0.5},
    "hymn": {(1,): 8, (0.5, 0.5): 2, (2,): 1, (1.5, 0.5): 0.4},
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


class Tune(NamedTuple):
    slowest: float
    fastest: float
    beats: int
    cells: str
    accompaniment: str
    denominator: int = 4


TUNES = {
    "folk": Tune(76, 152, 4, "folk", "oom-pah"),
    "reel": Tune(76, 152, 4, "reel", "oom-pah"),
    "hornpipe": Tune(70, 140, 4, "hornpipe", "oom-pah"),
    "tune alone": Tune(72, 150, 4, "reel", ""),
    "song alone": Tune(72, 150, 4, "folk", ""),
    "dance of sixteenths": Tune(60, 110, 2, "sixteenths", "oom-pah"),
    "polka tune": Tune(76, 150, 2, "folk", "oom-pah"),
    "waltz tune": Tune(80, 180, 3, "folk", "oom-pah"),
    "jig": Tune(76, 150, 2, "triplet", "oom-pah", 8),
    "jig alone": Tune(72, 150, 2, "triplet", "", 8),
    "slip jig": Tune(80, 150, 3, "triplet", "oom-pah", 8),
    "chorale": Tune(56, 132, 4, "hymn", "chorale"),
    "chorale in three": Tune(64, 140, 3, "hymn", "chorale"),
    "piano ballad": Tune(54, 90, 4, "song", "arpeggio"),
    "piano ballad, sixteenths": Tune(52, 84, 4, "song", "sixteenths"),
    "piano ballad, chords": Tune(54, 92, 4, "song", "chords"),
    "piano pop": Tune(84, 140, 4, "pop", "arpeggio"),
    "piano pop, chords": Tune(84, 144, 4, "pop", "chords"),
    "piano waltz": Tune(76, 160, 3, "pop", "oom-pah"),
    "six-eight ballad": Tune(48, 76, 2, "triplet", "arpeggio", 8),
    "study": Tune(60, 132, 4, "sixteenths", "chords"),
    "minuet": Tune(90, 150, 3, "folk", "chords"),
}


def tune_score(tune: Tune, source: np.random.Generator) -> Score:
    bpm = float(np.exp(source.uniform(np.log(tune.slowest), np.log(tune.fastest))))
    beats, key = tune.beats, harmony(source)
    bars = int(source.integers(36, 64)) // beats
    is_compound = tune.denominator == 8
    eighth = 1 / 3 if is_compound else 1 / 2
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
    for bar in range(bars):
        begin = bar * beats
        chord = key.degrees[(bar // int(1 + (bpm > 100))) % 4]
        motif = (
            motifs[form[bar % 4]] if source.random() < likely else rhythm(beats, tune.cells, source)
        )
        if tune.accompaniment == "chorale":
            notes += _chorale_bar(key, motif, begin, source)
            continue
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
                    notes += _chord(key, chord, begin + i / 2, 0.5, source)
            notes.append(Note(begin, beats / 2, 0, key.pitch(chord, 30), 0.6))
    if tune.accompaniment == "oom-pah" and source.random() < 0.25:
        thump, tick = (CRASH, HAT) if source.random() < 0.1 else (KICK, SNARE)
        for beat in range(bars * beats):
            drum = thump if beat % beats == 0 or (beats == 4 and beat % 4 == 2) else tick
            notes.append(Note(float(beat), 0.1, _DRUMS, drum, source.uniform(0.4, 0.6)))
    solo = int(source.choice(_LEADS))
    piano = int(source.choice([0, 0, 1, 2, 4, 5, 24, 46]))
    if tune.accompaniment == "chorale":
        piano = int(source.choice([0, 6, 16, 19, 48, 52, 56, 60, 71]))
    if tune.accompaniment not in ("", "oom-pah") and source.random() < 0.7:
        solo = piano
    programs = {0: piano if source.random() < 0.6 else 32, 1: piano, 2: solo, 3: piano}
    metre = (3 * beats, 8) if is_compound else (beats, 4)
    uneven = float(source.choice([0.0, 0.002, 0.008, 0.015]))
    return Score(bpm, metre, bars * beats, notes, programs, uneven)


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
                notes += _chord(key, chord, begin, 0.95 * beats, source)
        elif manner == "on":
            notes += _chord(key, chord, begin + beat, 0.7, source)
        elif is_compound:
            notes += _chord(key, chord, begin + beat + 2 / 3, 0.3, source)
        elif beats == 2:
            notes += _chord(key, chord, begin + beat + 1 / 2, 0.4, source)
        elif beat and not (beats == 4 and beat == 2):
            notes += _chord(key, chord, begin + beat, 0.4, source)
    return notes


def _chord(
    key: Harmony, degree: int, at: float, long: float, source: np.random.Generator
) -> list[Note]:
    loud = source.uniform(0.35, 0.6)
    return [Note(at, long, 1, key.pitch(degree + third, 50), loud) for third in (0, 2, 4)]


def _chorale_bar(
    key: Harmony, motif: list[tuple[float, float]], begin: float, source: np.random.Generator
) -> list[Note]:
    """Four voices that change together, each now and then with a passing note."""
    notes: list[Note] = []
    for at, long in motif:
        chord = int(source.choice([0, 3, 4, 5, 1]))
        for channel, low in enumerate((40, 50, 57, 64)):
            pitch = key.pitch(chord + 2 * int(source.integers(3)), low)
            if long >= 1 and source.random() < 0.2:
                notes.append(Note(begin + at, long / 2, channel, pitch, 0.6))
                notes.append(Note(begin + at + long / 2, long / 2, channel, pitch + 2, 0.6))
            else:
                notes.append(Note(begin + at, long, channel, pitch, source.uniform(0.55, 0.7)))
    return notes


# Loops of synthesisers, as producers cut them.

LOOPS = {
    "bass loop": _BASSES,
    "riff loop": _SYNTHS,
    "pad loop": _PADS,
    "keys loop": (0, 1, 4, 5, 26, 27),
}
_GENRES = {
    # Tempos, how often, and whether what is played counts in halves of the beat.
    (170, 176, 4.0, "half riff"), (160, 180, 2.0, "half riff"), (120, 130, 3.0, "riff"),
    (138, 150, 2.0, "half riff"), (80, 100, 3.0, "riff"), (100, 120, 2.0, "riff"),
    (128, 140, 2.0, "riff"), (68, 80, 0.7, "riff"),
}  # fmt: skip


def electronic(name: str, source: np.random.Generator) -> Score:
    genres = sorted(_GENRES)
    chances = np.array([share for _, _, share, _ in genres])
    slowest, fastest, _, cells = genres[source.choice(len(genres), p=chances / chances.sum())]
    bpm = float(source.uniform(slowest, fastest))
    if source.random() < 0.85:
        bpm = float(round(bpm))
    key = harmony(source)
    bars = int(source.choice([1, 2, 4, 4, 8], p=[0.1, 0.25, 0.3, 0.2, 0.15]))
    bars = max(bars, 2) if name == "pad loop" else bars
    motif = rhythm(4, cells, source)
    rests = source.uniform(0, 0.3)
    per_chord = int(source.choice([1, 2]))
    degree = 0
    notes: list[Note] = []
    plan = [
        (at, long, int(source.integers(-3, 5))) for at, long in motif if source.random() > rests
    ]
    for bar in range(bars):
        chord = key.degrees[bar // per_chord % 4]
        if name == "pad loop":
            if bar % per_chord == 0:
                chords = _chord(key, chord, 4.0 * bar, 4.0 * per_chord, source)
                notes += [note._replace(loud=0.8) for note in chords]
            continue
        for at, long, degree in plan or [(0.0, 1.0, 0)]:
            low = 30 if name == "bass loop" else 55
            loud = source.uniform(0.65, 0.9)
            if name == "keys loop" and source.random() < 0.7:
                notes += _chord(key, chord, 4 * bar + at, long, source)
            else:
                pitch = key.pitch(chord + degree * (name != "bass loop"), low)
                notes.append(Note(4 * bar + at, 0.9 * long, 1, pitch, loud))
    programs = {1: int(source.choice(LOOPS[name]))}
    return Score(bpm, (4, 4), 4 * bars, notes, programs, 0.0, is_loop=True)


def one_shots(count: int, seed: int = 0) -> Iterator[Piece]:
    """Notes, chords and strikes of any instrument, short or long, some cut at a round length."""
    source = np.random.default_rng(seed)
    for part in np.array_split(np.arange(count), 4):
        font = SOUNDFONTS[source.integers(len(SOUNDFONTS))]
        yield from play([("one-shot", one_shot(source)) for _ in part], font, source)


def one_shot(source: np.random.Generator) -> Score:
    held = float(np.exp(source.uniform(np.log(0.15), np.log(9))))
    if source.random() < 0.25:
        notes = [Note(0, held, _DRUMS, int(source.integers(27, 82)), source.uniform(0.5, 1))]
    else:
        notes = [Note(0, held, 1, int(source.integers(30, 85)), source.uniform(0.5, 1))]
        if source.random() < 0.3:
            third = int(source.choice([3, 4]))
            notes += [note._replace(pitch=note.pitch + third) for note in notes]
            notes.append(notes[0]._replace(pitch=notes[0].pitch + 7))
    seconds = held * source.uniform(0.8, 1.2) + source.choice([0.0, 0.3, 1.0])
    if source.random() < 0.25:
        seconds = max(0.5, round(2 * seconds) / 2)
    programs = {1: int(source.integers(128)), _DRUMS: int(source.choice(_KITS))}
    return Score(60, (4, 4), float(seconds), notes, programs, 0.0)


# Playing.


def play(
    scores: list[tuple[str, Score]], font: Path, source: np.random.Generator
) -> Iterator[Piece]:
    """The scores as sound, each at a tempo that wanders as hands do.

    They are synthesised as one, with pauses between: reading a soundfont takes longer than playing.
    """
    events: list[Event] = []
    begins: list[float] = []
    now = 0.0
    for _, score in scores:
        begins.append(now)
        events += [
            Event(now, bytes((0xC0 | channel, at))) for channel, at in score.programs.items()
        ]
        events += performed(score, now + _BREATH / 2, source)
        now += score.beats * 60 / score.bpm * 1.05 + _BREATH
    y = synthesise(events, font, has_room=bool(source.random() < 0.5))
    for (name, score), begin in zip(scores, begins, strict=True):
        first = round((begin + _BREATH / 2) * SAMPLE_RATE)
        length = round(score.beats * 60 / score.bpm * SAMPLE_RATE)
        if not score.is_loop:
            length = min(length, round(source.uniform(18, 32) * SAMPLE_RATE))
        sound = y[first : first + length].copy()
        if source.random() < 0.15:
            sound += 0.003 * source.normal(size=len(sound)).astype(np.float32)
        features = Features(sound, len(sound) / SAMPLE_RATE)
        yield Piece(name, score.bpm, score.metre, features, score.is_loop)


def performed(score: Score, start: float, source: np.random.Generator) -> list[Event]:
    """MIDI events, from the second `start` on."""
    wander = 0.0 if score.is_loop or source.random() < 0.5 else source.uniform(0.002, 0.012)
    # Seconds at each quarter of a beat, along a tempo that leaves its mean and returns to it.
    count = int(4 * score.beats) + 64
    drift = np.zeros(count)
    for i in range(1, count):
        drift[i] = 0.95 * drift[i - 1] + wander * source.normal(0, 0.3)
    moments = np.concatenate([[0], np.cumsum(15 / score.bpm * np.exp(drift - drift.mean()))[:-1]])
    events: list[Event] = []
    for note in score.notes:
        begin = np.interp(4 * note.beat, np.arange(count), moments)
        begin = start + max(0.0, float(begin) + source.normal(0, score.unevenness))
        end = begin + max(0.02, note.length * 60 / score.bpm)
        velocity = int(np.clip(127 * note.loud, 1, 127))
        events.append(Event(begin, bytes((0x90 | note.channel, note.pitch, velocity))))
        events.append(Event(end, bytes((0x80 | note.channel, note.pitch, 0))))
    return events


def synthesise(events: list[Event], font: Path, *, has_room: bool) -> np.ndarray:
    """`(n,)` float32 mono at SAMPLE_RATE."""
    with TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "score.mid", Path(folder) / "sound.wav"
        midi.write_bytes(_midi(events))
        room = "1" if has_room else "0"
        subprocess.run(
            ["fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(SAMPLE_RATE), "-R", room, "-C", "0",
             "-F", wav, font, midi],
            check=True, capture_output=True,
        )  # fmt: skip
        y, _ = soundfile.read(wav, dtype="float32")
    return y.mean(axis=1)


def _midi(events: list[Event]) -> bytes:
    """A MIDI file of one track whose ticks are milliseconds."""
    track, now = bytearray(), 0
    for event in sorted(events, key=lambda event: event.seconds):
        at = round(1000 * event.seconds)
        track += _length(at - now) + event.message
        now = at
    track += b"\x00\xff\x2f\x00"
    # 500 ticks to a quarter of half a second, which is the tempo of a file that names none.
    head = b"MThd" + (6).to_bytes(4) + (0).to_bytes(2) + (1).to_bytes(2) + (500).to_bytes(2)
    return head + b"MTrk" + len(track).to_bytes(4) + bytes(track)


def _length(value: int) -> bytes:
    """Seven bits a byte, the highest first."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(out[::-1])
