"""Single notes and phrases of sampled instruments: soundfonts, played by fluidsynth."""

import re
import struct
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soundfile

RATE = 44_100
TICKS = 960
"""A second, as 480 are a beat and MIDI's own tempo is 120."""

FOLDERS = (Path("/usr/share/sounds/sf2"), Path("/usr/share/sounds/sf3"))
DRUMS = 9

DRUM_KEYS = {
    "kick": (35, 36),
    "snare": (38, 40),
    "rim": (37,),
    "clap": (39,),
    "tom": (41, 43, 45, 47, 48, 50),
    "closed hat": (42, 44),
    "open hat": (46,),
    "crash": (49, 52, 55, 57),
    "ride": (51, 53, 59),
    "shaker": (54, 69, 70, 82),
    "cowbell": (56,),
    "conga": (60, 61, 62, 63, 64),
}
"""The percussion of General MIDI."""

KITS = (0, 1, 8, 16, 24, 25, 26, 32, 40, 48)
"""Programs of the drum channel that General MIDI soundfonts have, by Roland's numbers."""

PROGRAMS = {
    "keys": (*range(8), *range(16, 24)),
    "bell": tuple(range(8, 16)),
    "guitar": tuple(range(24, 32)),
    "bass": tuple(range(32, 40)),
    "strings": (*range(40, 45), *range(48, 52)),
    "pluck": (45, 46, *range(104, 109)),
    "vocal": (52, 53, 54),
    "brass": tuple(range(56, 64)),
    "wind": tuple(range(64, 80)),
    "lead": tuple(range(80, 88)),
    "pad": tuple(range(88, 96)),
}
"""The families of General MIDI."""


class Event(NamedTuple):
    """A note: seconds, a MIDI channel, key and velocity."""

    start: float
    length: float
    channel: int
    key: int
    velocity: int = 100


def soundfonts() -> dict[str, Path]:
    """The General MIDI soundfonts of this machine, by name; what is linked counts once."""
    found = [path for folder in FOLDERS for path in sorted(folder.glob("*.sf[23]"))]
    return {path.stem: path for path in found if not path.is_symlink() and is_general(path)}


def is_general(path: Path) -> bool:
    return not re.search(r"_GS|LV2|Lite", path.stem)


def play(soundfont: Path, programs: dict[int, int], events: list[Event]) -> np.ndarray:
    """`(n,)` float32 mono at RATE of the events; `programs` by channel."""
    timed: list[tuple[int, bytes]] = [
        (0, bytes([0xC0 | channel, program])) for channel, program in programs.items()
    ]
    for event in events:
        start, end = round(event.start * TICKS), round((event.start + event.length) * TICKS)
        timed.append((start, bytes([0x90 | event.channel, event.key, event.velocity])))
        timed.append((end, bytes([0x80 | event.channel, event.key, 0])))
    track, now = b"", 0
    for tick, message in sorted(timed, key=lambda each: each[0]):
        track += variable_length(tick - now) + message
        now = tick
    track += variable_length(2 * TICKS) + b"\xff\x2f\x00"
    midi = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    with TemporaryDirectory() as folder:
        (Path(folder) / "notes.mid").write_bytes(midi + track)
        command = ["fluidsynth", "-niq", "-R", "0", "-C", "0", "-r", str(RATE), "-F", "notes.wav"]
        # Of a bank of hundreds of megabytes a phrase needs a few.
        command += ["-o", "synth.dynamic-sample-loading=1"]
        subprocess.run(
            [*command, soundfont, "notes.mid"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        y, _ = soundfile.read(Path(folder) / "notes.wav", dtype="float32")
    return y.mean(axis=1)


def single_notes(
    soundfont: Path, channel: int, program: int, notes: list[tuple[int, int]], held: float
) -> list[np.ndarray]:
    """Each `(key, velocity)` alone, held for so many seconds and followed by its release."""
    slot = held + 1.5
    events = [Event(i * slot, held, channel, *note) for i, note in enumerate(notes)]
    y = play(soundfont, {channel: program}, events)
    size = int(slot * RATE)
    return [trimmed(y[i * size : (i + 1) * size]) for i in range(len(notes))]


def trimmed(y: np.ndarray) -> np.ndarray:
    """From where it begins to where it has died away (-60 dB)."""
    loud = np.flatnonzero(np.abs(y) > 1e-3 * max(float(np.abs(y).max(initial=0)), 1e-6))
    return y[max(0, loud[0] - 32) : loud[-1] + 1] if len(loud) else y[:0]


def variable_length(value: int) -> bytes:
    out = bytes([value & 0x7F])
    while value := value >> 7:
        out = bytes([0x80 | (value & 0x7F)]) + out
    return out
