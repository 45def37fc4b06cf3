"""Music of known tempo and metre, made up bar by bar and played by fluidsynth from soundfonts.

What a drummer, a folk band, a pianist or a producer would write, at the tempos they write it at:
patterns with fills, ghost notes, swing and the unevenness of hands. An estimator learns from it
which octave a pattern means; no two pieces are alike.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.bands import LOOPS, band, electronic, looped
from benchmarks.grooves import GROOVES, KITS, PULSES, drums_alone, pulse, stem
from benchmarks.score import Note, Score
from benchmarks.soundfont import DRUMS, Event, note, program, render
from benchmarks.tunes import TUNES, tune_score
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

_BREATH = 3.0
"""Seconds between two pieces of one recording."""


class Piece(NamedTuple):
    """`bars: (n,)` are the seconds at which bars begin."""

    style: str
    bpm: float
    metre: tuple[int, int]
    features: Features
    is_loop: bool
    bars: np.ndarray


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
            scores += [(name, tune_score(tune, source)) for _ in range(tune.often)]
        for name in LOOPS:
            scores += [(name, electronic(name, source)) for _ in range(4)]
        order = source.permutation(len(scores))
        for part in np.array_split(order, len(SOUNDFONTS)):
            font = SOUNDFONTS[source.integers(len(SOUNDFONTS))]
            yield from play([scores[i] for i in part], font, source)


def loops(each: int, seed: int = 0) -> Iterator[Piece]:
    """`each` loops of every groove, by a band and by some of the drums, and of every bare pulse."""
    for number in range(each):
        source = np.random.default_rng([seed, number, 1])
        scores: list[tuple[str, Score]] = []
        for name, groove in GROOVES.items():
            scores.append((f"band loop, {name}", looped(band(groove, source), groove, source)))
            scores.append((f"stem, {name}", looped(stem(groove, source), groove, source)))
        scores += [("pulse", pulse(voice, source)) for voice in PULSES]
        font = SOUNDFONTS[source.integers(len(SOUNDFONTS))]
        yield from play(scores, font, source)


def one_shots(count: int, seed: int = 0) -> Iterator[Piece]:
    """Notes, chords and strikes of any instrument, short or long, some cut at a round length."""
    source = np.random.default_rng(seed)
    for part in np.array_split(np.arange(count), 4):
        font = SOUNDFONTS[source.integers(len(SOUNDFONTS))]
        yield from play([("one-shot", one_shot(source)) for _ in part], font, source)


def one_shot(source: np.random.Generator) -> Score:
    held = float(np.exp(source.uniform(np.log(0.15), np.log(9))))
    if source.random() < 0.25:
        notes = [Note(0, held, DRUMS, int(source.integers(27, 82)), source.uniform(0.5, 1))]
    else:
        notes = [Note(0, held, 1, int(source.integers(30, 85)), source.uniform(0.5, 1))]
        if source.random() < 0.3:
            third = int(source.choice([3, 4]))
            notes += [note._replace(pitch=note.pitch + third) for note in notes]
            notes.append(notes[0]._replace(pitch=notes[0].pitch + 7))
    seconds = held * source.uniform(0.8, 1.2) + source.choice([0.0, 0.3, 1.0])
    if source.random() < 0.25:
        seconds = max(0.5, round(2 * seconds) / 2)
    programs = {1: int(source.integers(128)), DRUMS: int(source.choice(KITS))}
    return Score(60, (4, 4), float(seconds), notes, programs, 0.0)


def play(
    scores: list[tuple[str, Score]], font: Path, source: np.random.Generator
) -> Iterator[Piece]:
    """The scores as sound, each at a tempo that wanders as hands do.

    They are synthesised as one, with pauses between: reading a soundfont takes longer than playing.
    """
    events: list[Event] = []
    begins: list[float] = []
    bars: list[np.ndarray] = []
    now = 0.0
    for _, score in scores:
        begins.append(now)
        events += [program(now, channel, number) for channel, number in score.programs.items()]
        moments = played_moments(score, source)
        events += performed(score, moments, now + _BREATH / 2, source)
        bars.append(seconds_at(moments, np.arange(0, score.beats, beats_of_a_bar(score.metre))))
        now += score.beats * 60 / score.bpm * 1.05 + _BREATH
    y = render(events, font, SAMPLE_RATE, has_room=bool(source.random() < 0.5), reads_all=True)
    for (name, score), begin, bar in zip(scores, begins, bars, strict=True):
        first = round((begin + _BREATH / 2) * SAMPLE_RATE)
        length = round(score.beats * 60 / score.bpm * SAMPLE_RATE)
        if not score.is_loop:
            length = min(length, round(source.uniform(18, 32) * SAMPLE_RATE))
        sound = y[first : first + length].copy()
        if source.random() < 0.15:
            sound += 0.003 * source.normal(size=len(sound)).astype(np.float32)
        features = Features(sound, len(sound) / SAMPLE_RATE)
        within = bar[bar < features.seconds]
        yield Piece(name, score.bpm, score.metre, features, score.is_loop, within)


def beats_of_a_bar(metre: tuple[int, int]) -> int:
    """Of the beats that a tempo counts: two in 6/8."""
    numerator, denominator = metre
    return numerator // 3 if denominator == 8 else numerator


def played_moments(score: Score, source: np.random.Generator) -> np.ndarray:
    """Seconds at each quarter of a beat, along a tempo that leaves its mean and returns to it."""
    wander = 0.0 if score.is_loop or source.random() < 0.5 else source.uniform(0.002, 0.012)
    count = int(4 * score.beats) + 64
    drift = np.zeros(count)
    for i in range(1, count):
        drift[i] = 0.95 * drift[i - 1] + wander * source.normal(0, 0.3)
    return np.concatenate([[0], np.cumsum(15 / score.bpm * np.exp(drift - drift.mean()))[:-1]])


def seconds_at(moments: np.ndarray, beats: np.ndarray) -> np.ndarray:
    return np.interp(4 * beats, np.arange(len(moments)), moments)


def performed(
    score: Score, moments: np.ndarray, start: float, source: np.random.Generator
) -> list[Event]:
    """MIDI events, from the second `start` on."""
    events: list[Event] = []
    for each in score.notes:
        begin = seconds_at(moments, np.array(each.beat))
        begin = start + max(0.0, float(begin) + source.normal(0, score.unevenness))
        length = max(0.02, each.length * 60 / score.bpm)
        velocity = int(np.clip(127 * each.loud, 1, 127))
        events += note(begin, length, each.channel, each.pitch, velocity)
    return events
