"""Phrases of known key, written in the degrees of a scale: bass lines, pads, riffs.

What makers name after its root is so here. Three in four phrases are in minor, as in published
collections of electronic music (Faraldo et al., "Key estimation in electronic dance music", ECIR
2016); longer music is balanced.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from samplemind.domain.analysis import Mode

PARTS = ("bass", "chord", "lead")
SCALES = {
    Mode.MINOR: (
        ((0, 2, 3, 5, 7, 8, 10), 0.66),  # natural
        ((0, 2, 3, 5, 7, 9, 10), 0.14),  # Dorian
        ((0, 1, 3, 5, 7, 8, 10), 0.08),  # Phrygian
        ((0, 2, 3, 5, 7, 8, 11), 0.12),  # harmonic
    ),
    Mode.MAJOR: (
        ((0, 2, 4, 5, 7, 9, 11), 0.8),
        ((0, 2, 4, 5, 7, 9, 10), 0.2),  # Mixolydian
    ),
}

# Degrees of the scale from 0, a chord each; the first of each is the commonest.
PROGRESSIONS = {
    Mode.MINOR: (
        *((0, 5, 2, 6), (0, 5, 2, 6), (0, 3), (0, 3), (0, 6, 5, 6), (0, 5, 6), (0, 6), (0, 5)),
        *((0, 3, 5, 4), (0, 2, 6, 5), (0, 4), (0, 5, 3, 4), (5, 6, 0), (5, 6, 0, 2), (0, 1)),
        *((0, 3, 6, 2), (0, 4, 5, 6), (0, 0, 5, 6), (3, 0), (0, 3, 4, 0), (0, 0, 0, 6), (0, 2)),
        *((5, 4, 0), (0, 6, 5, 4), (0, 0, 3, 3), (0, 0, 5, 5)),
    ),
    Mode.MAJOR: (
        *((0, 4, 5, 3), (0, 3), (0, 5, 3, 4), (3, 4, 0), (1, 4, 0), (0, 2, 3), (0, 3, 4, 0)),
        *((0, 1), (0, 3, 0, 4), (0, 4), (5, 3, 0, 4), (0, 3, 1, 4), (0, 0, 3, 3), (0, 6, 3)),
    ),
}

# Steps of a chord above its root, in degrees, and how often.
CHORDS = (
    ((0, 2, 4), 0.45),
    ((0, 2, 4, 6), 0.25),
    ((0, 2, 4, 6, 8), 0.1),
    ((0, 2, 6), 0.05),
    ((0, 1, 4), 0.05),
    ((0, 3, 4), 0.05),
    ((0, 4), 0.05),
)

BASS_DEGREES = (0, 7, -1, 4, 2, 3, 5, 6, -3)
BASS_SHARES = (0.5, 0.12, 0.08, 0.08, 0.06, 0.06, 0.02, 0.04, 0.04)
PENTATONIC = {Mode.MINOR: (0, 2, 3, 4, 6), Mode.MAJOR: (0, 1, 2, 4, 5)}

FAMILIES = (
    *("note", "bass", "roots", "held", "pad", "stab", "parallel"),
    *("arp", "lead", "riff", "full", "music"),
)
"""Each is written by a method of _Writer."""

MINOR_SHARE = 0.75
MINOR_SHARE_OF_MUSIC = 0.5
HELD_SECONDS = (0.35, 0.7, 1.4, 2.8, 5.6)


class Note(NamedTuple):
    """`start` and `length` in beats; `part` is one of PARTS; `pitch` a MIDI number."""

    part: str
    start: float
    length: float
    pitch: int
    level: float


class Phrase(NamedTuple):
    family: str
    tonic: int
    mode: Mode
    bpm: float
    beats: float
    notes: list[Note]

    @property
    def seconds(self) -> float:
        return self.beats * 60 / self.bpm


def choose(source: np.random.Generator, weighted: tuple[tuple, ...]):
    shares = np.array([share for _, share in weighted])
    return weighted[source.choice(len(weighted), p=shares / shares.sum())][0]


def compose(family: str, source: np.random.Generator) -> Phrase:
    """A random phrase of one of FAMILIES."""
    share = MINOR_SHARE_OF_MUSIC if family == "music" else MINOR_SHARE
    mode = Mode.MINOR if source.random() < share else Mode.MAJOR
    tonic = int(source.integers(12))
    bpm = float(source.uniform(160, 178) if source.random() < 0.5 else source.uniform(80, 140))
    beats = 4.0 * int(source.choice([8, 12, 16] if family == "music" else [1, 2, 2, 4, 4, 8]))
    if family in ("note", "held"):
        beats = float(source.choice(HELD_SECONDS)) * bpm / 60
    progression = PROGRESSIONS[mode][source.integers(len(PROGRESSIONS[mode]))]
    writer = _Writer(source, tonic, choose(source, SCALES[mode]), mode, progression, beats)
    getattr(writer, f"write_{family}")()
    return Phrase(family, tonic, mode, bpm, beats, writer.notes)


class _Writer:
    """Notes of one phrase."""

    def __init__(self, source, tonic, scale, mode, progression, beats) -> None:
        self.source: np.random.Generator = source
        self.tonic: int = tonic
        self.scale: tuple[int, ...] = scale
        self.mode: Mode = mode
        self.progression: tuple[int, ...] = progression
        self.beats: float = beats
        self.notes: list[Note] = []

    def pitch(self, degree: int, lowest: int) -> int:
        """Of a degree (7 is the octave), the tonic being the first at or above `lowest`."""
        base = lowest + (self.tonic - lowest) % 12
        return base + self.scale[degree % 7] + 12 * (degree // 7)

    def add(self, part: str, start: float, length: float, pitch: int, level: float = 1.0) -> None:
        if start < self.beats:
            length = min(length, self.beats - start)
            self.notes.append(Note(part, start, length, pitch, level))

    def lowest(self, part: str) -> int:
        """MIDI note from which the part has its tonic."""
        low, high = {"bass": (25, 37), "chord": (43, 56), "lead": (50, 67)}[part]
        return int(self.source.integers(low, high))

    def chord(self, shape: tuple[int, ...], root: int, lowest: int) -> list[int]:
        """Pitches over a root degree, in a close position, with its bass at times."""
        pitches = [self.pitch(root + step, lowest) for step in shape]
        inversion = int(self.source.choice([0, 0, 0, 1, 2]))
        pitches = [p + 12 if i < inversion else p for i, p in enumerate(pitches)]
        if self.source.random() < 0.35:
            pitches.append(self.pitch(root, lowest - 24))
        return pitches

    def slots(self) -> Iterator[tuple[float, float, int]]:
        """(start, length, root degree) of the chords, the progression repeated as it fits."""
        share = self.source.choice([2, 4, 4, 8]) if self.beats > 8 else 2
        share = min(share, self.beats / len(self.progression))
        start, i = 0.0, 0
        while start < self.beats - 0.01:
            yield start, share, self.progression[i % len(self.progression)]
            start, i = start + share, i + 1

    def write_note(self) -> None:
        part = str(self.source.choice(["bass", "bass", "chord", "lead"]))
        self.add(part, 0, self.beats, self.pitch(0, self.lowest(part)))
        if self.source.random() < 0.2:
            self.add(part, 0, self.beats, self.notes[0].pitch + 12, 0.6)

    def write_bass(self) -> None:
        """A bar or two of roots, octaves and passing notes, repeated."""
        lowest = self.lowest("bass")
        span = min(self.beats, int(self.source.choice([4, 8])))
        step = float(self.source.choice([0.25, 0.5, 0.5, 1.0]))
        motif = [(0.0, 0)]
        degrees = BASS_DEGREES[: self.source.integers(2, len(BASS_DEGREES) + 1)]
        shares = np.array(BASS_SHARES[: len(degrees)])
        places = np.arange(step, span, step)
        places = places[self.source.random(len(places)) < 0.5]
        played = self.source.choice(degrees, len(places), p=shares / shares.sum())
        motif += zip(places.tolist(), played.tolist(), strict=True)
        self._repeat("bass", motif, span, lowest)

    def write_riff(self) -> None:
        """A few notes of the pentatonic scale, again and again."""
        lowest = self.lowest("lead")
        span = min(self.beats, int(self.source.choice([2, 4, 8])))
        step = float(self.source.choice([0.25, 0.5, 0.75]))
        tones = PENTATONIC[self.mode]
        few = [0, *self.source.choice(tones[1:], int(self.source.integers(1, 4)), replace=False)]
        motif = [(0.0, 0 if self.source.random() < 0.8 else int(self.source.choice(few)))]
        for at in np.arange(step, span, step):
            if self.source.random() < 0.65:
                lead = self.source.random() < 0.35
                motif.append((float(at), 0 if lead else int(self.source.choice(few))))
        self._repeat("lead", motif, span, lowest)

    def _repeat(self, part: str, motif: list[tuple[float, int]], span: float, lowest: int) -> None:
        legato = self.source.uniform(0.4, 1.1)
        for bar in np.arange(0, self.beats, span):
            ends = [at for at, _ in motif[1:]] + [float(span)]
            for (at, degree), end in zip(motif, ends, strict=True):
                self.add(part, bar + at, (end - at) * legato, self.pitch(degree, lowest))

    def write_roots(self) -> None:
        """A bass that follows a progression."""
        lowest = self.lowest("bass")
        pulse = float(self.source.choice([0.5, 1, 4]))
        for start, length, root in self.slots():
            degree = root - 7 if root > 3 else root
            for at in np.arange(0, length, pulse):
                octave = 12 * (pulse < 4 and self.source.random() < 0.15)
                pitch = self.pitch(degree, lowest) + octave
                self.add("bass", start + at, 0.9 * min(pulse, length), pitch)

    def write_held(self) -> None:
        """One chord."""
        shape = choose(self.source, CHORDS)
        for pitch in self.chord(shape, 0, self.lowest("chord")):
            self.add("chord", 0, self.beats, pitch, self.source.uniform(0.6, 1))

    def write_pad(self) -> None:
        shape, lowest = choose(self.source, CHORDS), self.lowest("chord")
        for start, length, root in self.slots():
            for pitch in self.chord(shape, root - 7 if root > 3 else root, lowest):
                self.add("chord", start, length, pitch)

    def write_stab(self) -> None:
        """Short chords in a syncopated bar."""
        shape, lowest = choose(self.source, CHORDS), self.lowest("chord")
        hits = np.sort(self.source.choice(8, int(self.source.integers(1, 5)), replace=False)) / 2
        for start, length, root in self.slots():
            pitches = self.chord(shape, root - 7 if root > 3 else root, lowest)
            for at in hits[hits < length]:
                for pitch in pitches:
                    self.add("chord", start + at, 0.4, pitch)

    def write_parallel(self) -> None:
        """One sampled chord, moved as a block; what it begins with is the key."""
        third = 3 if self.mode is Mode.MINOR else 4
        shape = [0, third, 7, *([] if self.source.random() < 0.5 else [10 if third == 3 else 11])]
        base = self.pitch(0, self.lowest("chord"))
        moves = self.source.choice([-4, -2, 3, 5, -5, 7, 2], int(self.source.integers(1, 3)))
        for at in np.arange(0, self.beats, float(self.source.choice([0.5, 1, 1.5]))):
            home = at % 4 == 0 or self.source.random() < 0.6
            move = 0 if home else int(self.source.choice(moves))
            for step in shape:
                self.add("chord", float(at), 0.6, base + move + step)

    def write_arp(self) -> None:
        shape, lowest = choose(self.source, CHORDS), self.lowest("lead")
        still = self.source.random() < 0.4
        step, span = float(self.source.choice([0.25, 0.5])), int(self.source.integers(1, 3))
        order = self.source.permutation(len(shape) * span)
        if self.source.random() < 0.6:
            order = np.sort(order)
        for start, length, root in self.slots():
            root = 0 if still else root - 7 if root > 3 else root
            for i in range(round(length / step)):
                j = order[i % len(order)]
                pitch = self.pitch(root + shape[j % len(shape)], lowest) + 12 * (j // len(shape))
                self.add("lead", start + i * step, step, int(pitch))

    def write_lead(self) -> None:
        self._melody(self.lowest("lead"), [(0.0, float(self.beats), 0)])

    def _melody(self, lowest: int, slots: list[tuple[float, float, int]]) -> None:
        """A walk on the scale that rests on tones of the chord beneath, and comes home."""
        tones = PENTATONIC[self.mode] if self.source.random() < 0.5 else tuple(range(7))
        degree = int(self.source.choice([0, 0, 4, 2, 7]))
        at = float(self.source.choice([0, 0, 0.5, 1]))
        while at < self.beats:
            length = float(self.source.choice([0.25, 0.5, 0.5, 1, 1, 2]))
            root = next((r for s, n, r in slots if s <= at < s + n), 0)
            last = at + length >= self.beats
            if last and self.source.random() < 0.5:
                degree = 7 * round(degree / 7)
            elif length >= 1:
                chord = np.array([root + step + 7 * o for step in (0, 2, 4) for o in (-1, 0, 1)])
                degree = int(chord[np.argmin(np.abs(chord - degree) + self.source.random(9))])
            if degree % 7 in tones or length >= 1:
                self.add(
                    "lead", at, length * self.source.uniform(0.7, 1), self.pitch(degree, lowest)
                )
            degree += int(self.source.choice([-2, -1, -1, 1, 1, 2]))
            degree = int(np.clip(degree, -4, 10))
            at += length

    def write_full(self) -> None:
        """Two or three layers: what a song loop or an intro has."""
        slots = list(self.slots())
        shape, chords, basses = (
            choose(self.source, CHORDS),
            self.lowest("chord"),
            self.lowest("bass"),
        )
        for start, length, root in slots:
            root = root - 7 if root > 3 else root
            for pitch in self.chord(shape, root, chords):
                self.add("chord", start, length, pitch, 0.6)
            pulse = float(self.source.choice([0.5, 1, length]))
            for at in np.arange(0, length, pulse):
                self.add("bass", start + at, 0.9 * pulse, self.pitch(root, basses))
        if self.source.random() < 0.6:
            self._melody(self.lowest("lead"), slots)

    def write_music(self) -> None:
        """Eight to sixteen bars with phrases that end on the tonic."""
        first = self.progression
        endings = ((0, 3, 4, 0), (0, 5, 3, 4, 0), (3, 4, 0, 0), (0, 1, 4, 0), (5, 3, 4, 0))
        second = endings[self.source.integers(len(endings))]
        self.progression = first * max(1, 4 // len(first)) + second
        if self.mode is Mode.MINOR and self.source.random() < 0.6:
            self.scale = SCALES[Mode.MINOR][-1][0]
        self.write_full()
