"""Sampled instruments: the General MIDI soundfonts of this machine, played by fluidsynth."""

import re
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soundfile

FOLDERS = (Path("/usr/share/sounds/sf2"), Path("/usr/share/sounds/sf3"))

DRUMS = 9
"""The channel of percussion."""

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

_TAIL = b"\xb0\x7b\x00"
"""All notes off: says nothing, and keeps the sound going until its moment."""


class Event(NamedTuple):
    """A MIDI message at a second."""

    seconds: float
    message: bytes


def soundfonts() -> dict[str, Path]:
    """The General MIDI soundfonts of this machine, by name; what is linked counts once."""
    found = [path for folder in FOLDERS for path in sorted(folder.glob("*.sf[23]"))]
    return {path.stem: path for path in found if not path.is_symlink() and is_general(path)}


def is_general(path: Path) -> bool:
    return not re.search(r"_GS|LV2|Lite", path.stem)


def program(seconds: float, channel: int, number: int) -> Event:
    return Event(seconds, bytes([0xC0 | channel, number]))


def note(seconds: float, length: float, channel: int, key: int, velocity: int) -> list[Event]:
    return [
        Event(seconds, bytes([0x90 | channel, key, velocity])),
        Event(seconds + length, bytes([0x80 | channel, key, 0])),
    ]


def render(
    events: Iterable[Event],
    soundfont: Path,
    rate: int,
    *,
    gain: float = 0.5,
    has_room: bool = False,
    reads_all: bool = False,
) -> np.ndarray:
    """`(n,)` float32 mono at `rate`: the events in the order of their seconds, and to the last.

    A phrase needs a few of a soundfont's hundreds of megabytes; who plays many programs `reads_all`
    at once. The samples that come out differ a little.
    """
    with TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        midi.write_bytes(_midi(events))
        command = ["fluidsynth", "-niq", "-g", str(gain), "-R", str(int(has_room)), "-C", "0"]
        command += ["-o", f"synth.dynamic-sample-loading={int(not reads_all)}", "-r", str(rate)]
        subprocess.run([*command, "-F", wav, soundfont, midi], check=True, capture_output=True)
        y, _ = soundfile.read(wav, dtype="float32")
    return y.mean(axis=1)


def single_notes(
    soundfont: Path,
    channel: int,
    number: int,
    notes: list[tuple[int, int]],
    held: float,
    rate: int,
) -> list[np.ndarray]:
    """Each `(key, velocity)` of a program alone, held for so many seconds, and its release."""
    slot = held + 1.5
    events = [program(0, channel, number), Event(len(notes) * slot, _TAIL)]
    for i, (key, velocity) in enumerate(notes):
        events += note(i * slot, held, channel, key, velocity)
    y = render(events, soundfont, rate, gain=0.2)
    size = int(slot * rate)
    return [trimmed(y[i * size : (i + 1) * size]) for i in range(len(notes))]


def trimmed(y: np.ndarray) -> np.ndarray:
    """From where it begins to where it has died away (-60 dB)."""
    loud = np.flatnonzero(np.abs(y) > 1e-3 * max(float(np.abs(y).max(initial=0)), 1e-6))
    return y[max(0, loud[0] - 32) : loud[-1] + 1] if len(loud) else y[:0]


def _midi(events: Iterable[Event]) -> bytes:
    """A MIDI file of one track whose ticks are milliseconds."""
    track, now = bytearray(), 0
    for event in sorted(events, key=lambda event: event.seconds):
        at = round(1000 * event.seconds)
        track += _length(at - now) + event.message
        now = at
    track += b"\x00\xff\x2f\x00"
    # 500 ticks to a quarter of half a second, which is the tempo of a file that names none.
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500)
    return head + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def _length(value: int) -> bytes:
    """Seven bits a byte, the highest first."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(value & 0x7F | 0x80)
    return bytes(out[::-1])
