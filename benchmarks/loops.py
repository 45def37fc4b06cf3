"""Loops made of single sounds: beats, bass lines, riffs, pads, and all of them together."""

from collections.abc import Callable

import numpy as np

from benchmarks.synthesis import ONE_SHOTS, processed
from benchmarks.waves import RATE, Random, envelope, filtered, hertz_of, wave

MINOR, MAJOR = (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 5, 7, 9, 11)

BEATS = (
    ("x.........x.....", "....x.......x...", "x.x.x.x.x.x.x.x.", (160, 180)),
    ("x.x.......xx....", "....x..x.x..x..x", "x.x.x.x.x.x.x.x.", (155, 176)),
    ("x...x...x...x...", "....x.......x...", "..x...x...x...x.", (116, 135)),
    ("x.....o...x.....", "....x..o....x...", "x.x.x.x.x.x.x.x.", (100, 140)),
    ("x.o....o..x..o..", "....x.......x...", "x.x.x.x.x.x.x.x.", (80, 100)),
    ("x.....o...o..o..", "........x.......", "xoxoxoxoxoxoxoxo", (130, 150)),
)

Hits = dict[str, list[np.ndarray]]
Note = Callable[[Random, float, float], np.ndarray]


def drum_loop(r: Random, hits: Hits) -> np.ndarray:
    *parts, (slow, fast) = BEATS[r.integers(len(BEATS))]
    step = 15 / r.uniform(slow, fast)
    bars = int(r.choice([1, 2, 4]))
    out = np.zeros(int(16 * bars * step * RATE) + 1)
    extra = str(r.choice(["shaker", "conga", "open hat", "rim", "cowbell"]))
    lines: list[tuple[str, str]] = [
        ("kick", parts[0]),
        ("snare", parts[1]),
        ("closed hat", parts[2]),
    ]
    if r.random() < 0.4:
        lines.append((extra, "".join(r.choice([".", ".", ".", "x"], 16))))
    left_out = r.integers(12)
    for i, (name, pattern) in enumerate(lines):
        if i == left_out:
            continue
        source = hits[name]
        hit = source[r.integers(len(source))]
        level = r.uniform(0.25, 0.7) if i > 1 else r.uniform(0.6, 1)
        for at in range(16 * bars):
            mark = pattern[at % 16]
            if mark == "x" or (mark == "o" and r.random() < 0.5):
                put(out, hit, at * step, level * r.uniform(0.7, 1))
    return out


def put(out: np.ndarray, y: np.ndarray, seconds: float, level: float) -> None:
    start = int(seconds * RATE)
    piece = y[: max(0, len(out) - start)]
    out[start : start + len(piece)] += level * piece


def synth_note(r: Random) -> Note:
    """A patch of a synthesizer: the same for all notes of a loop."""
    shape = str(r.choice(["saw", "square", "triangle", "sine"]))
    detune, bright = r.uniform(0, 0.12), r.uniform(2, 20)

    def note(r: Random, key: float, seconds: float) -> np.ndarray:
        t = np.arange(max(64, int(seconds * RATE))) / RATE
        hertz = hertz_of(key)
        voices = [
            wave(r, np.full_like(t, hertz * 2 ** (offset / 12)), shape)
            for offset in (-detune, detune)
        ]
        y = filtered(r, voices[0] + voices[1], hertz * bright * 0.6, hertz * bright * 1.6)
        return y * envelope(t, 0.006, min(0.08, seconds / 4))

    return note


def scale_key(r: Random, root: int, low: int, high: int) -> int:
    scale = MINOR if r.random() < 0.75 else MAJOR
    keys = [key for key in range(low, high) if (key - root) % 12 in scale]
    return int(r.choice(keys))


def bass_loop(r: Random, note: Note | None = None) -> np.ndarray:
    return line(r, note or synth_note(r), 26, 48, (1, 2, 2, 4, 8), rest=0.2)


def riff(r: Random, note: Note | None = None) -> np.ndarray:
    return line(r, note or synth_note(r), 52, 84, (1, 1, 2, 2, 4), rest=0.25)


def line(
    r: Random, note: Note, low: int, high: int, lengths: tuple[int, ...], rest: float
) -> np.ndarray:
    step = 15 / r.uniform(80, 176)
    bars = int(r.choice([1, 2, 4]))
    out = np.zeros(int(16 * bars * step * RATE) + 1)
    root = int(r.integers(low, low + 12))
    tune = [
        (int(r.choice(lengths)), scale_key(r, root, low, high), r.random() < rest)
        for _ in range(32)
    ]
    at, i = 0, 0
    phrase = int(r.integers(4, 12))
    while at < 16 * bars:
        length, key, silent = tune[i % phrase]
        if at == 0 or r.random() < 0.15:
            key = root
        if not silent:
            held = max(0.06, min(length, 16 * bars - at) * step * r.uniform(0.6, 1))
            put(out, note(r, key, held), at * step, r.uniform(0.7, 1))
        at, i = at + length, i + 1
    return out


def chords(r: Random, note: Note | None = None) -> np.ndarray:
    """A bar or half of one a chord: held, or stabbed."""
    note = note or synth_note(r)
    step = 15 / r.uniform(80, 176)
    bars = int(r.choice([2, 4]))
    out = np.zeros(int(16 * bars * step * RATE) + 1)
    root, stabs = int(r.integers(44, 60)), r.random() < 0.4
    scale = MINOR if r.random() < 0.75 else MAJOR
    for bar in range(bars):
        degree = int(r.choice([0, 0, 2, 3, 4, 5, 6]))
        keys = [
            root + scale[(degree + i) % 7] + 12 * ((degree + i) // 7)
            for i in (0, 2, 4, 6)[: r.integers(3, 5)]
        ]
        hits = np.flatnonzero(r.random(16) < 0.25) if stabs else [0]
        for at in hits:
            held = step * (r.uniform(1, 3) if stabs else 16)
            for key in keys:
                put(out, note(r, key, held), (16 * bar + at) * step, 0.5)
    return out


def full_track(r: Random, hits: Hits) -> np.ndarray:
    beat = drum_loop(r, hits)
    out = beat / max(np.abs(beat).max(), 1e-9)
    for make, level in ((bass_loop, 0.7), (chords, 0.4), (riff, 0.4)):
        if r.random() < 0.8:
            y = make(r)
            out += r.uniform(0.5, 1) * level * np.resize(y / max(np.abs(y).max(), 1e-9), len(out))
    return np.tile(out, 2)


def random_hits(r: Random, each: int) -> Hits:
    names = ("kick", "snare", "closed hat", "open hat", "shaker", "conga", "rim", "cowbell")
    return {
        name: [processed(r, ONE_SHOTS[name][0](r)).astype(np.float64) for _ in range(each)]
        for name in names
    }
