# ruff: noqa: E501, the tables are read line by line
"""What drummers play: grooves of many styles, with fills, ghost notes and swing; and bare pulses."""

from typing import NamedTuple

import numpy as np

from benchmarks.score import Note, Score
from benchmarks.soundfont import DRUMS

KICK, STICK, SNARE, CLAP, HAT, PEDAL, OPEN, CRASH, RIDE, BELL = (
    36, 37, 38, 39, 42, 44, 46, 49, 51, 53,
)  # fmt: skip
_TOMS = (50, 48, 47, 45, 43, 41)
KITS = (0, 8, 16, 24, 25, 32, 40)


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
    "cascara": Groove(90, 140, 4, "...x..x....x..x.", "..x...x...x...x.", "x.x.xx.x.xx.x.x.", backbeat=48, cymbal=BELL),
    "mozambique": Groove(100, 140, 4, "x.....x...x...x.", "...o..x...x...o.", "x..x..x....x..x.", backbeat=47, cymbal=RIDE),
    "toms": Groove(85, 190, 4, "x.......x.......", "....x.......x...", "x.ox..x.x.o.x.oo", backbeat=PEDAL, cymbal=45),
    "toms, fast": Groove(130, 210, 4, "x.......x.......", "....x.......x...", "x...x.o.x.o.x.o.", backbeat=PEDAL, cymbal=43),
    "mambo": Groove(160, 215, 4, "......x.......x.", "x...o.o.....o.o.", "x.x.x.oox.x.x.oo", backbeat=STICK, cymbal=BELL),
    "afrobeat": Groove(88, 124, 4, "x..o..x...x..o..", "..g.x..x.g..x..x", "x.xxx.xxx.xxx.xx"),
    "highlife": Groove(96, 128, 4, "x...x...x...x...", "x..x..x...x.x...", "x.x.x.x.x.x.x.x.", backbeat=STICK),
    "tresillo": Groove(84, 132, 4, "x..x..x.x..x..x.", "....x.......x..o", "x.x.x.x.x.x.x.x.", cymbal=RIDE),
    "threes over four": Groove(90, 144, 4, "x.........o.o...", "....o.....o.....", "x..x..x..x..x.x.", cymbal=RIDE),
    "threes, then two": Groove(90, 144, 4, "x..o......o..o..", "..o...o...x...o.", "x..x..x..x..x..x", cymbal=BELL),
    "linear": Groove(80, 124, 4, "x..o..x..o.x..o.", ".og.x..g.go.x.g.", "x.ox.x.ox.x.ox.x"),
    "maqsum": Groove(76, 112, 4, "x.......x.......", "..x...x.....x.oo", "x.x.x.x.x.x.x.x."),
    "shuffle": Groove(84, 150, 4, "x....ox....o", "...x..g..x..", "x.xx.xx.xx.x"),
    "half-time shuffle": Groove(80, 124, 4, "x....o.....x", "g.g.g.x.g.g.", "x.xx.xx.xx.x"),
    "slow blues": Groove(48, 84, 4, "x....xx....o", "...x.....x..", "xxxxxxxxxxxx"),
    "swing": Groove(100, 225, 4, "g..g..g..g..", ".....g..o..g", "x..x.xx..x.x", cymbal=RIDE),
    "swing, two": Groove(100, 200, 4, "x.....x.....", "...o.....o.g", "x..x.xx..x.x", cymbal=HAT),
    "swing, fast": Groove(150, 225, 4, "g...g...g...g.o.", "..g...o...g...o.", "x...x.x.x...x.x.", cymbal=RIDE),
    "swing, four": Groove(140, 225, 4, "g...g...g...g...", "....o.......o...", "x...x..xx...x..x", cymbal=RIDE),
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

PULSES = (KICK, STICK, SNARE, CLAP, HAT, RIDE, 56, 76)
"""What may strike every beat alone: drums, a cowbell, a wood block."""


def drums_alone(groove: Groove, source: np.random.Generator) -> Score:
    bars = bars_of(groove.beats, source)
    bpm = float(np.exp(source.uniform(np.log(groove.slowest), np.log(groove.fastest))))
    notes = drum_part(groove, bars, source)
    if source.random() < 0.15:
        # A click of sticks counts in.
        notes = [n._replace(beat=n.beat + groove.beats) for n in notes]
        notes += [Note(float(i), 0.1, DRUMS, STICK, 0.7) for i in range(groove.beats)]
    metre = _metre(groove)
    kit = int(source.choice(KITS))
    uneven = float(source.choice([0.003, 0.006, 0.009, 0.012]))
    return Score(bpm, metre, bars * groove.beats, notes, {DRUMS: kit}, uneven)


def _metre(groove: Groove) -> tuple[int, int]:
    if groove.denominator == 8:
        return 3 * groove.beats, 8
    return groove.beats, 4


def stem(groove: Groove, source: np.random.Generator) -> Score:
    """Drums of which not all are heard: tops without a kick, a kick alone, a snare over hats."""
    score = drums_alone(groove, source)
    pitches = sorted({note.pitch for note in score.notes})
    heard = source.choice(pitches, int(source.integers(1, min(4, len(pitches)) + 1)), replace=False)
    return score._replace(notes=[note for note in score.notes if note.pitch in heard])


def pulse(voice: int, source: np.random.Generator) -> Score:
    """A beat and nothing else, as a metronome gives it; the first of a bar may be louder."""
    bpm = float(np.exp(source.uniform(np.log(56), np.log(170))))
    bars, beats = int(source.choice([1, 2, 4, 8, 16])), int(source.choice([3, 4, 4, 4]))
    accent = source.choice([1.0, 1.4])
    notes = [
        Note(float(i), 0.1, DRUMS, voice, 0.6 * (accent if i % beats == 0 else 1))
        for i in range(bars * beats)
    ]
    is_loop = bars < 8
    return Score(bpm, (beats, 4), bars * beats, notes, {DRUMS: 0}, 0.0, is_loop=is_loop)


def bars_of(beats: int, source: np.random.Generator) -> int:
    return int(source.integers(40, 72)) // beats


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
            notes.append(Note(position, 0.1, DRUMS, pitch, loud))

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
        Note(float(at), 0.1, DRUMS, int(moves[i * 3 // len(moments)]), source.uniform(0.5, 1))
        for i, at in enumerate(moments)
        if source.random() < likely
    ]
