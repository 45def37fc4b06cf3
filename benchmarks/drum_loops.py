"""Drum loops of known tempo: the labelled hits of a collection, played to patterns of many styles.

Each style is played at the tempos it is written at, so that an estimator can learn which octave a
pattern means: a backbeat falls on two and four, whatever the hats do.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from samplemind.audio.decode import OpenSound
from samplemind.audio.features import Features
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.errors import DomainError


class Style(NamedTuple):
    """Tempos in beats a minute; a bar of 4/4 in sixteenths (x: always, o: half of the time)."""

    slowest: float
    fastest: float
    kick: str
    snare: str
    hat: str


STYLES = {
    "drum & bass": Style(160, 180, "x.........x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "amen": Style(158, 176, "x.x.......xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x."),
    "two-step": Style(164, 178, "x.......o.x.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "straight, fast": Style(165, 178, "x.......x.......", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "half time, fast": Style(164, 178, "x.o.......o..o..", "........x.......", "x.x.x.x.x.x.x.x."),
    "jungle": Style(155, 172, "x.o....o..x.o...", "....x..o.x..x.o.", "xoxoxoxoxoxoxoxo"),
    "roller": Style(168, 178, "x..o......x..o..", "....x..o.o..x..o", "xxxxxxxxxxxxxxxx"),
    "house": Style(116, 130, "x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    "techno": Style(125, 145, "x...x...x...x...", "............o...", "o.x.o.x.o.x.o.x."),
    "garage": Style(128, 136, "x.........x..o..", "....x.......x...", "..x..ox...x..ox."),
    "breakbeat": Style(115, 140, "x.....o...x.....", "....x..o....x...", "x.x.x.x.x.x.x.x."),
    "hip-hop": Style(80, 100, "x.o....o..x..o..", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "trap": Style(130, 150, "x.....o...o..o..", "........x.......", "xoxoxoxoxoxoxoxo"),
    "dubstep": Style(138, 145, "x.....o...o.....", "........x.......", "x..x..x.x..x..o."),
    "rock": Style(95, 140, "x......ox.o.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "funk": Style(92, 116, "x.o...o...x..o..", "....x..o.o..x..o", "xxxxxxxxxxxxxxxx"),
    "reggae": Style(66, 88, "........x.......", "........x.......", "..x...x...x...x."),
    "ballad": Style(60, 84, "x.......x.o.....", "....x.......x...", "x.x.x.x.x.x.x.x."),
}

_HITS = {
    "kick": ("kick",),
    "snare": ("snare", "clap", "rim"),
    "hat": ("hat_closed", "ride", "shaker", "hat_open"),
}


class DrumLoop(NamedTuple):
    style: str
    bpm: float
    features: Features
    is_exact: bool
    """Whether the loop is a whole number of bars long."""


def drum_loops(hits: dict[str, list[Path]], each: int, seed: int = 0) -> Iterator[DrumLoop]:
    """`each` loops of every style. `hits` are files by label, as in a manifest."""
    source = np.random.default_rng(seed)
    drums = {
        part: [y for label in labels for path in hits.get(label, ()) if (y := _read(path)).size]
        for part, labels in _HITS.items()
    }
    for name, style in STYLES.items():
        for _ in range(each):
            yield _play(name, style, drums, source)


def break_edits(breaks: list[tuple[Path, int]], count: int, seed: int = 0) -> Iterator[DrumLoop]:
    """`count` loops cut from recorded breaks, given with the beats they last.

    Slices of half a beat in another order, some as rolls, faster or slower as from tape, at the
    tempos of jungle.
    """
    source = np.random.default_rng(seed)
    recorded = [(y, beats) for path, beats in breaks if (y := _read(path)).size]
    for _ in range(count):
        y, beats = recorded[source.integers(len(recorded))]
        bpm = float(source.uniform(155, 180))
        if source.random() < 0.7:
            bpm = float(round(bpm))
        own = beats * 60 * SAMPLE_RATE / len(y)
        tape = soxr.resample(y, SAMPLE_RATE * min(bpm / own, 2.0), SAMPLE_RATE)
        yield _edit(tape, 2 * beats, bpm, source)


def tapes(played: Iterable[tuple[Features, float]], each: int, seed: int = 0) -> Iterator[DrumLoop]:
    """`each` copies of every recording of known tempo: faster or slower as from tape, brighter or
    darker, and half of them driven."""
    source = np.random.default_rng(seed)
    for features, bpm in played:
        for _ in range(each):
            speed = float(np.exp(source.uniform(np.log(0.82), np.log(1.22))))
            y = soxr.resample(features.y, SAMPLE_RATE, SAMPLE_RATE / speed)
            y = np.append(y[:1], y[1:] - np.float32(source.uniform(-0.6, 0.6)) * y[:-1])
            if source.random() < 0.5:
                y = np.tanh(source.uniform(1, 8) / np.abs(y).max() * y)
            copy = Features(y.astype(np.float32), len(y) / SAMPLE_RATE)
            yield DrumLoop("tape", bpm * speed, copy, is_exact=False)


def _edit(tape: np.ndarray, slices: int, bpm: float, source: np.random.Generator) -> DrumLoop:
    step = 30 / bpm * SAMPLE_RATE
    bars = int(source.choice([1, 2, 2, 4, 4, 8]))
    out = np.zeros(round(8 * bars * step), np.float32)
    kept = source.uniform(0.3, 0.95)
    plan = [i if source.random() < kept else int(source.integers(slices)) for i in range(16)]
    for position in range(8 * bars):
        # Edits mostly keep the strong beats in their place, and settle on a phrase of two bars.
        part = plan[position % 16] % slices
        if source.random() < 0.1:
            part = int(source.integers(slices))
        first = round(part * len(tape) / slices)
        begin, end = round(position * step), round((position + 1) * step)
        piece = tape[first : first + end - begin]
        if source.random() < 0.05:
            roll = piece[: len(piece) // int(source.choice([2, 3, 4]))]
            piece = np.tile(roll, 4)[: end - begin]
        out[begin : begin + len(piece)] += piece[: len(out) - begin]
    return DrumLoop("break edit", bpm, Features(out, len(out) / SAMPLE_RATE), is_exact=True)


def _play(
    name: str, style: Style, drums: dict[str, list[np.ndarray]], source: np.random.Generator
) -> DrumLoop:
    bpm = float(source.uniform(style.slowest, style.fastest))
    bars = int(source.choice([1, 2, 2, 4, 4, 8]))
    step = 15 / bpm
    swing = source.choice([0, 0, 0, 0.1, 0.2]) * step
    length = round(bars * 16 * step * SAMPLE_RATE)
    out = np.zeros(length + 2 * SAMPLE_RATE, np.float32)
    for part, pattern in (("kick", style.kick), ("snare", style.snare), ("hat", style.hat)):
        if part == "hat" and source.random() < 0.12:
            continue
        hit = drums[part][source.integers(len(drums[part]))]
        level = source.uniform(0.25, 0.7) if part == "hat" else source.uniform(0.6, 1.0)
        choke = int(source.uniform(0.1, 0.6) * SAMPLE_RATE)
        for position in range(16 * bars):
            mark = pattern[position % 16]
            ghost = part != "kick" and mark == "." and source.random() < 0.03
            if not (mark == "x" or (mark == "o" and source.random() < 0.5) or ghost):
                continue
            when = position * step + swing * (position % 2) + source.normal(0, 0.004)
            at = max(0, int(when * SAMPLE_RATE))
            loud = level * source.uniform(0.75, 1.0) * (0.35 if ghost or mark == "o" else 1)
            played = hit[:choke]
            out[at : at + len(played)] += loud * played[: len(out) - at]
    if source.random() < 0.3:
        out += 0.01 * source.normal(size=len(out)).astype(np.float32)
    is_exact = bool(source.random() < 0.8)
    end = length if is_exact else int(length * source.uniform(0.85, 1.15))
    loop = out[: max(end, SAMPLE_RATE)]
    return DrumLoop(name, bpm, Features(loop.copy(), len(loop) / SAMPLE_RATE), is_exact)


def _read(path: Path) -> np.ndarray:
    """`(n,)` mono at SAMPLE_RATE with a peak of 1; empty where the file cannot be read."""
    try:
        with OpenSound(path) as sound:
            y = np.concatenate([block.mean(axis=0) for block in sound.blocks()])
    except DomainError:
        return np.zeros(0, np.float32)
    y = soxr.resample(y, sound.sample_rate, SAMPLE_RATE)
    return (y / max(float(np.abs(y).max()), 1e-6)).astype(np.float32)
