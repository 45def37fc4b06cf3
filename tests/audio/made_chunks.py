"""Chunks as programs write them, and files with chunks added."""

import struct
from collections.abc import Sequence
from pathlib import Path


def with_chunk(path: Path, name: bytes, content: bytes) -> Path:
    """Adds a chunk behind the others, and counts it in the size of the whole."""
    order = ">" if path.read_bytes()[:4] == b"FORM" else "<"
    whole = path.read_bytes() + struct.pack(f"{order}4sI", name, len(content)) + content
    whole += b"\0" * (len(content) % 2)
    path.write_bytes(whole[:4] + struct.pack(f"{order}I", len(whole) - 8) + whole[8:])
    return path


def acid(
    beats: int = 8,
    bpm: float = 120.0,
    *,
    one_shot: bool = False,
    root: int | None = None,
    metre: tuple[int, int] = (4, 4),
) -> bytes:
    flags = one_shot + 2 * (root is not None) + 4
    numerator, denominator = metre
    note = 60 if root is None else root
    return struct.pack("<IHHfIHHf", flags, note, 0x8000, 0.0, beats, denominator, numerator, bpm)


def smpl(loops: Sequence[tuple[int, int]] = (), note: int = 60, kind: int = 0) -> bytes:
    """Loops from the first frame to the last that is played."""
    head = struct.pack("<9I", 0, 0, 22_675, note, 0, 0, 0, len(loops), 0)
    return head + b"".join(struct.pack("<6I", 0, kind, *loop, 0, 0) for loop in loops)


def basc(
    beats: int = 8, note: int = 48, scale: int = 0, *, loops: bool = True, metre: tuple = (4, 4)
) -> bytes:
    return struct.pack(">IIHHHHH", 1, beats, note, scale, *metre, loops) + bytes(66)


def mark(frames: Sequence[int]) -> bytes:
    """Markers with ids from 1, and names of odd and even lengths."""
    names = [b"a" * (1 + number % 2) for number in range(len(frames))]
    content = struct.pack(">H", len(frames))
    for id_, (frame, name) in enumerate(zip(frames, names, strict=True), 1):
        content += struct.pack(">hIB", id_, frame, len(name)) + name
        content += b"\0" * ((1 + len(name)) % 2)
    return content


def inst(note: int = 60, first: int = 1, last: int = 2) -> bytes:
    return struct.pack(">bbbbbbhhhhhhh", note, 0, 0, 127, 1, 127, 0, 1, first, last, 0, 0, 0)
