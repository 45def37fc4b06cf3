"""Phrases and notes played by the programs of a soundfont (fluidsynth)."""

import struct
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from phrases import Phrase

from samplemind.audio.spectrum import SAMPLE_RATE

# General MIDI programs by the part they play.
PROGRAMS = {
    "bass": (*range(32, 40), 38, 39, 38, 39, 81, 87, 87, 62),
    "chord": (*range(6), 16, 18, 19, *range(48, 55), 61, 62, 63, 80, 81, *range(88, 96), 90, 89),
    "lead": (
        *(0, 4, 5, 8, 11, 12, 24, 25, 26, 27, 28, 45, 46, 52, 53, 54, 56, 62, 65, 71, 73, 75, 85),
        *range(80, 88),
        *(85, 53, 81, 80, 98, 104),
    ),
}

TICKS_A_SECOND = 960
"""480 a quarter note at MIDI's own tempo."""


def perform(
    phrases: list[Phrase], soundfont: Path, source: np.random.Generator
) -> list[np.ndarray]:
    """`(n,)` of each phrase, played by random programs of the soundfont, all in one go."""
    gap = 1.0
    events: list[tuple[float, int, bytes]] = []
    start = 0.0
    for phrase in phrases:
        for channel, (part, programs) in enumerate(PROGRAMS.items()):
            events.append((start, 1, bytes([0xC0 | channel, int(source.choice(programs))])))
            for note in phrase.notes:
                if note.part == part:
                    on = start + note.start * 60 / phrase.bpm
                    off = on + note.length * 60 / phrase.bpm - 0.002
                    key, loud = note.pitch, int(55 + 60 * note.level)
                    events.append((on, 2, bytes([0x90 | channel, key, loud])))
                    events.append((off, 0, bytes([0x80 | channel, key, 0])))
        start += phrase.seconds + gap
        silence = (start - 0.01, 0)
        events += [(*silence, bytes([0xB0 | channel, 120, 0])) for channel in range(len(PROGRAMS))]
    rendered = render(events, soundfont)
    out, at = [], 0.0
    for phrase in phrases:
        first = round(at * SAMPLE_RATE)
        out.append(rendered[first : first + round(phrase.seconds * SAMPLE_RATE)].copy())
        at += phrase.seconds + gap
    return out


def render(events: list[tuple[float, int, bytes]], soundfont: Path) -> np.ndarray:
    """`(n,)` float32 mono at SAMPLE_RATE of MIDI events (second, order in a moment, message)."""
    track, now = b"", 0
    for second, _, message in sorted(events):
        tick = round(second * TICKS_A_SECOND)
        track += _variable_length(tick - now) + message
        now = tick
    track += b"\x00\xff\x2f\x00"
    midi = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    with TemporaryDirectory() as folder:
        (Path(folder) / "notes.mid").write_bytes(midi + track)
        command = ["fluidsynth", "-niq", "-R", "0", "-C", "0", "-g", "0.5"]
        command += ["-o", "synth.dynamic-sample-loading=1"]
        command += ["-r", str(SAMPLE_RATE), "-F", "notes.wav", str(soundfont), "notes.mid"]
        subprocess.run(
            command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        y, _ = soundfile.read(Path(folder) / "notes.wav", dtype="float32")
    return y.mean(axis=1)


def _variable_length(number: int) -> bytes:
    out = bytes([number & 127])
    while number := number >> 7:
        out = bytes([128 | number & 127]) + out
    return out
