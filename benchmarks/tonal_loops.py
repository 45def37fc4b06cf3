"""Loops and held sounds of known key, for learning what names a key where few notes sound.

A phrase (phrases.py) is played by a synthesiser or by a soundfont, then treated as producers do:
distorted, filtered, out of tune, in a room, over drums.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.phrases import FAMILIES, Phrase, compose
from benchmarks.soundfont import Event, note, program, render
from benchmarks.synthesiser import synthesise
from samplemind.audio.spectrum import SAMPLE_RATE

BATCH = 120
"""Phrases that fluidsynth plays in one go."""

GAP = 1.0
"""Seconds between them."""

PROGRAMS = {
    "bass": (*range(32, 40), 38, 39, 38, 39, 81, 87, 87, 62),
    "chord": (*range(6), 16, 18, 19, *range(48, 55), 61, 62, 63, 80, 81, *range(88, 96), 90, 89),
    "lead": (
        *(0, 4, 5, 8, 11, 12, 24, 25, 26, 27, 28, 45, 46, 52, 53, 54, 56, 62, 65, 71, 73, 75, 85),
        *range(80, 88),
        *(85, 53, 81, 80, 98, 104),
    ),
}
"""General MIDI programs by the part they play."""


class TonalSound(NamedTuple):
    """`voice` is "synth" or the name of a soundfont; `y: (n,)` float32 mono at SAMPLE_RATE."""

    phrase: Phrase
    voice: str
    y: np.ndarray


def tonal_sounds(each: int, soundfonts: tuple[Path, ...], seed: int = 0) -> Iterator[TonalSound]:
    """`each` phrases of every family for the synthesiser and for every soundfont."""
    source = np.random.default_rng(seed)
    for voice in (None, *soundfonts):
        families = [family for family in FAMILIES for _ in range(each)]
        for first in range(0, len(families), BATCH):
            phrases = [compose(family, source) for family in families[first : first + BATCH]]
            if voice is None:
                played = (synthesise(phrase, source) for phrase in phrases)
            else:
                played = perform(phrases, voice, source)
            for phrase, y in zip(phrases, played, strict=True):
                name = voice.stem if voice else "synth"
                yield TonalSound(phrase, name, treat(y, phrase, source))


def perform(
    phrases: list[Phrase], soundfont: Path, source: np.random.Generator
) -> list[np.ndarray]:
    """`(n,)` of each phrase, played by random programs of the soundfont, all in one go."""
    events: list[Event] = []
    starts: list[float] = []
    now = 0.0
    for phrase in phrases:
        starts.append(now)
        beat = 60 / phrase.bpm
        for channel, (part, programs) in enumerate(PROGRAMS.items()):
            events.append(program(now, channel, int(source.choice(programs))))
            for each in phrase.notes:
                if each.part == part:
                    begin, length = now + each.start * beat, each.length * beat - 0.002
                    loud = int(55 + 60 * each.level)
                    events += note(begin, length, channel, each.pitch, loud)
        now += phrase.seconds + GAP
        silence = [bytes([0xB0 | channel, 120, 0]) for channel in range(len(PROGRAMS))]
        events += [Event(now - 0.01, message) for message in silence]
    y = render(events, soundfont, SAMPLE_RATE)
    firsts = [round(start * SAMPLE_RATE) for start in starts]
    return [
        y[first : first + round(phrase.seconds * SAMPLE_RATE)].copy()
        for first, phrase in zip(firsts, phrases, strict=True)
    ]


def treat(y: np.ndarray, phrase: Phrase, source: np.random.Generator) -> np.ndarray:
    """`(n,)` float32: what is done to a sound before it is sold."""
    y = y / max(float(np.abs(y).max()), 1e-6)
    if source.random() < 0.3:
        drive = source.uniform(1, 12)
        y = np.tanh(drive * y) / np.tanh(drive)
    if source.random() < 0.35:
        y = _filtered(y, source)
    if source.random() < 0.35:
        y = _reverberated(y, source)
    cents = source.uniform(-45, 45) if source.random() < 0.15 else source.normal(0, 6)
    ratio = 2 ** (cents / 1200)
    y = np.interp(np.arange(int(len(y) / ratio)) * ratio, np.arange(len(y)), y)
    drums = {"full": 0.5, "music": 0.3}.get(phrase.family, 0.12)
    if phrase.beats >= 4 and source.random() < drums:
        y = y / max(float(np.abs(y).max()), 1e-6) + source.uniform(0.2, 1) * _drums(
            len(y), phrase.bpm, source
        )
    if source.random() < 0.15:
        y = y + source.uniform(0.001, 0.02) * source.normal(size=len(y))
    return y.astype(np.float32)


def _filtered(y: np.ndarray, source: np.random.Generator) -> np.ndarray:
    """Low-passed at 12 dB an octave, or high-passed at 6."""
    size = 1 << (len(y) + 2_048).bit_length()
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    if source.random() < 0.6:
        gain = 1 / (1 + np.square(hertz / source.uniform(150, 2_500)))
    else:
        corner = source.uniform(80, 400)
        gain = hertz / np.hypot(hertz, corner)
    out = np.fft.irfft(np.fft.rfft(y, size) * gain, size)[: len(y)]
    return out / max(float(np.abs(out).max()), 1e-6)


def _reverberated(y: np.ndarray, source: np.random.Generator) -> np.ndarray:
    tail = np.arange(int(2 * SAMPLE_RATE)) / SAMPLE_RATE
    response = source.normal(size=len(tail)) * np.exp(-tail / source.uniform(0.1, 0.6))
    response *= source.uniform(0.2, 1) / np.linalg.norm(response)
    response[0] += 1
    size = 1 << (len(y) + len(tail)).bit_length()
    return np.fft.irfft(np.fft.rfft(y, size) * np.fft.rfft(response, size), size)[: len(y)]


def _drums(length: int, bpm: float, source: np.random.Generator) -> np.ndarray:
    """Kick, snare and hats made of sines and noise, `(length,)`."""
    t = np.arange(int(0.3 * SAMPLE_RATE)) / SAMPLE_RATE
    settled = source.uniform(42, 60)
    kick = np.sin(2 * np.pi * (settled * t - 4 * np.exp(-t / 0.03))) * np.exp(-t / 0.1)
    noise = source.normal(size=len(t))
    snare = 0.3 * noise * np.exp(-t / 0.06)
    snare += 0.4 * np.sin(2 * np.pi * source.uniform(160, 230) * t) * np.exp(-t / 0.05)
    hat = 0.1 * np.diff(noise, append=0) * np.exp(-t / 0.03)
    pattern = ((kick, (0, 10)), (snare, (4, 12)), (hat, range(0, 16, 2)))
    out = np.zeros(length + len(t))
    step = 15 / bpm * SAMPLE_RATE
    for hit, places in pattern:
        for bar in np.arange(0, length / step, 16):
            for place in places:
                at = int((bar + place) * step)
                if at < length:
                    out[at : at + len(hit)] += hit
    return out[:length]
