"""Basses, pads, leads, plucks, bells and voices, each a synthesizer's patch at random."""

import numpy as np
from scipy.signal import lfilter

from benchmarks.waves import (
    RATE,
    Random,
    band,
    decay,
    envelope,
    filtered,
    hertz_of,
    log_uniform,
    noise,
    reverberated,
    saturated,
    sweep,
    time,
    wave,
)

VOWELS = np.array(
    [
        [730, 1_090, 2_440, 3_400],
        [530, 1_840, 2_480, 3_500],
        [270, 2_290, 3_010, 3_600],
        [570, 840, 2_410, 3_300],
        [300, 870, 2_240, 3_200],
        [660, 1_720, 2_410, 3_400],
    ]
)
"""Hz of the formants (Peterson and Barney, JASA 24, 1952); the fourth is typical."""


def bass(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.25, 4))
    hertz = np.full_like(t, hertz_of(r.uniform(24, 47)))
    if r.random() < 0.2:
        hertz = hertz * 2 ** (r.uniform(-1, 1) * np.exp(-t / 0.1))
    sort = r.integers(4)
    if sort == 0:
        y = wave(r, hertz, "sine") + r.uniform(0, 0.3) * wave(r, 2 * hertz, "sine")
        y = saturated(r, y)
    elif sort == 1:
        y = sum(
            wave(r, hertz * 2 ** (r.normal(0, 0.15) / 12), "saw") for _ in range(r.integers(2, 5))
        )
        y = filtered(r, np.asarray(y), 100, 3_000)
    elif sort == 2:
        index = r.uniform(0.5, 6) * decay(t, log_uniform(r, 0.2, 4))
        y = np.sin(sweep(hertz) + index * np.sin(sweep(hertz * r.choice([0.5, 1, 2, 3]))))
    else:
        y = filtered(r, wave(r, hertz, str(r.choice(["saw", "square"]))), 120, 2_500)
        y += 0.6 * wave(r, hertz, "sine")
    if r.random() < 0.25:
        y *= 1 + 0.9 * np.sin(2 * np.pi * r.uniform(1, 9) * t)
    end = decay(t, t[-1] * r.uniform(0.6, 2)) if r.random() < 0.5 else 1
    return y * envelope(t, r.uniform(0.002, 0.03), 0.03) * end


_CHORDS = (
    (0,),
    (0, 7),
    (0, 3, 7),
    (0, 4, 7),
    (0, 3, 7, 10),
    (0, 4, 7, 11),
    (0, 5, 7),
    (0, 3, 7, 14),
)


def chord(r: Random, t: np.ndarray, root: float, shape: str, detune: float = 0.08) -> np.ndarray:
    notes = _CHORDS[r.integers(len(_CHORDS))]
    voices = [
        wave(r, np.full_like(t, hertz_of(root + note + r.normal(0, detune))), shape)
        for note in notes
        for _ in range(2 if detune else 1)
    ]
    return np.sum(voices, axis=0)


def pad(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 2, 10))
    shape = str(r.choice(["saw", "square", "triangle", "sine"]))
    y = filtered(r, chord(r, t, r.uniform(40, 66), shape), 300, 6_000)
    if r.random() < 0.3:
        y += 0.2 * np.abs(y).max() * band(noise(r, len(t)), 500, 6_000)
    y *= envelope(t, log_uniform(r, 0.1, 1.5), log_uniform(r, 0.3, 1.9))
    return reverberated(r, y, log_uniform(r, 1, 5))


def lead(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.3, 3))
    hertz = hertz_of(r.uniform(55, 88)) * 2 ** (
        r.uniform(0, 0.4) / 12 * np.sin(2 * np.pi * r.uniform(4, 7) * t)
    )
    y = sum(
        wave(r, hertz * 2 ** (r.normal(0, 0.08) / 12), str(r.choice(["saw", "square"])))
        for _ in range(r.integers(1, 4))
    )
    y = filtered(r, np.asarray(y), 800, 14_000)
    return y * envelope(t, r.uniform(0.003, 0.05), r.uniform(0.02, 0.2))


def pluck(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.25, 2))
    root = r.uniform(48, 84)
    if r.random() < 0.5:
        period = max(8, int(RATE / hertz_of(root)))
        string = noise(r, period)
        loop = np.zeros(period + 2)
        loop[0], loop[period], loop[period + 1] = 1, -0.497, -0.497
        plucked = np.concatenate([string, np.zeros(len(t) - period)])[: len(t)]
        y = np.asarray(lfilter([1.0], loop, plucked))
    else:
        shape = str(r.choice(["saw", "square", "triangle"]))
        y = chord(r, t, root, shape, detune=float(r.choice([0, 0.06])))
        y = band(y, None, log_uniform(r, 1_000, 8_000))
    return y * decay(t, t[-1] * r.uniform(0.4, 1.1))


def bell(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.5, 4))
    hertz = hertz_of(r.uniform(60, 96))
    y = np.zeros_like(t)
    for _ in range(r.integers(2, 7)):
        partial = hertz * log_uniform(r, 1, 6)
        y += (
            r.uniform(0.2, 1)
            * np.sin(2 * np.pi * partial * t)
            * decay(t, t[-1] * r.uniform(0.3, 1))
        )
    return y


def sung(r: Random, seconds: float, note: float) -> np.ndarray:
    """A voiced pulse train through formants that move from one vowel to another."""
    t = time(seconds)
    vibrato = r.uniform(0, 0.5) * np.sin(2 * np.pi * r.uniform(4.5, 6.5) * t)
    scoop = -r.uniform(0, 3) * np.exp(-t / 0.06)
    hertz = hertz_of(note) * 2 ** ((vibrato + scoop + np.cumsum(r.normal(0, 0.003, len(t)))) / 12)
    source = np.diff(np.maximum(0, np.sin(sweep(hertz))) ** 3, prepend=0) * 20
    source += r.uniform(0.01, 0.15) * noise(r, len(t))
    scale = r.uniform(0.9, 1.25)
    first, last = VOWELS[r.integers(len(VOWELS), size=2)] * scale
    out = np.zeros_like(t)
    for formant in range(4):
        pieces, state = [], np.zeros(2)
        for i, piece in enumerate(np.array_split(source, 12)):
            centre = first[formant] + (last[formant] - first[formant]) * i / 11
            radius = np.exp(-np.pi * (60 + 0.06 * centre) / RATE)
            a = [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
            done, state = lfilter([1 - radius], a, piece, zi=state)
            pieces.append(done)
        out += np.concatenate(pieces) * 0.7**formant
    if r.random() < 0.5:
        size = min(len(t), int(r.uniform(0.03, 0.12) * RATE))
        out[:size] += 0.5 * np.abs(out).max() * band(noise(r, size), r.uniform(1_500, 5_000), None)
    return out * envelope(t, r.uniform(0.01, 0.08), r.uniform(0.03, 0.15))


def vocal(r: Random) -> np.ndarray:
    note = r.uniform(45, 74)
    words = int(r.choice([1, 1, 2, 3, 5, 8]))
    pieces: list[np.ndarray] = []
    for _ in range(words):
        sung_note = note + r.choice([-5, -3, -2, 0, 0, 2, 3, 5, 7])
        pieces += [
            sung(r, log_uniform(r, 0.12, 1.2), sung_note),
            np.zeros(int(r.uniform(0, 0.2) * RATE)),
        ]
    return np.concatenate(pieces)
