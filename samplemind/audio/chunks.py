"""What makers of samples write into WAV and AIFF files beside the samples: tempo, notes, loops.

Each chunk becomes a dictionary of plain values that is safe to store and to send as JSON. What is
damaged, or says what cannot be, is left out. Whether the rest is true is another question: see
claims.py.
"""

import math
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

_MOST_CHUNKS = 200
_MOST_BYTES = 4_096
"""Read of one chunk; those that are looked at need less."""

_MOST_LOOPS = 16
_MOST_BEATS = 10_000
_SLOWEST, _FASTEST = 20.0, 400.0
_FORWARD = 0
_SCALES = {1: "minor", 2: "major"}
_DENOMINATORS = (1, 2, 4, 8, 16, 32)

Said = dict[str, Any]


def read_chunks(path: Path) -> dict[str, Said]:
    """What the chunks `acid`, `smpl` (WAV), `basc`, `INST` with `MARK` (AIFF) say.

    Loops are frames, `end` being the first that is not played any more. Keys, each only where it is
    said: `acid` has `oneShot`, `rootNote`, `beats`, `timeSignature`, `tempo`; `smpl` and `inst`
    have `rootNote` and `loops`; `basc` has `beats`, `rootNote`, `scale`, `timeSignature`,
    `oneShot`. Notes are MIDI numbers. Empty where there is nothing, or nothing that can be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] in (b"RIFF", b"RF64") and head[8:] == b"WAVE":
            found = _first_of_each(file, "<")
            said = {"acid": _read(_acid, found, b"acid"), "smpl": _read(_smpl, found, b"smpl")}
        elif head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
            found = _first_of_each(file, ">")
            said = {"basc": _read(_basc, found, b"basc"), "inst": _read(_inst, found, b"INST")}
        else:
            return {}
    return {name: values for name, values in said.items() if values}


def _first_of_each(file: IO[bytes], order: str) -> dict[bytes, bytes]:
    chunks: dict[bytes, bytes] = {}
    for name, content in _chunks(file, order):
        chunks.setdefault(name, content)
    return chunks


def _chunks(file: IO[bytes], order: str) -> Iterator[tuple[bytes, bytes]]:
    """Name and beginning of each chunk that is whole, as far as the file is well-formed."""
    size = os.fstat(file.fileno()).st_size
    large: int | None = None
    for _ in range(_MOST_CHUNKS):
        header = file.read(8)
        if len(header) < 8:
            return
        name, length = struct.unpack(f"{order}4sI", header)
        at = file.tell()
        if name == b"data" and length == 0xFFFFFFFF and large is not None:
            length = large
        if at + length > size:
            return
        content = file.read(min(length, _MOST_BYTES))
        if name == b"ds64" and len(content) >= 16:
            # RF64 (EBU Tech 3306): the true length of the samples.
            large = struct.unpack_from("<Q", content, 8)[0]
        yield name, content
        file.seek(at + length + length % 2)


def _read(
    parse: Callable[[dict[bytes, bytes]], Said], chunks: dict[bytes, bytes], name: bytes
) -> Said:
    if name not in chunks:
        return {}
    try:
        said = parse(chunks)
    except struct.error:
        return {}
    return {key: value for key, value in said.items() if value is not None}


def _acid(chunks: dict[bytes, bytes]) -> Said:
    """ACID's: flags (1: one-shot, 2: the root note is set), note, two unknown, beats, metre
    upside down, tempo."""
    flags, note, _, _, beats, denominator, numerator, tempo = struct.unpack_from(
        "<IHHfIHHf", chunks[b"acid"]
    )
    return {
        "oneShot": bool(flags & 1),
        "rootNote": _note(note) if flags & 2 else None,
        "beats": _beats(beats),
        "timeSignature": _metre(numerator, denominator),
        "tempo": round(tempo, 3)
        if math.isfinite(tempo) and _SLOWEST <= tempo <= _FASTEST
        else None,
    }


def _smpl(chunks: dict[bytes, bytes]) -> Said:
    """The MIDI Sampler chunk (Multimedia Programming Interface 1.0, 1991): its fourth number is the
    unity note, its eighth counts the loops, whose last frame is played."""
    content = chunks[b"smpl"]
    numbers = struct.unpack_from("<9I", content)
    loops = []
    for number in range(min(numbers[7], _MOST_LOOPS, (len(content) - 36) // 24)):
        _, kind, start, last, _, _ = struct.unpack_from("<6I", content, 36 + 24 * number)
        if kind == _FORWARD and start <= last:
            loops.append({"start": start, "end": last + 1})
    return {"rootNote": _note(numbers[3]), "loops": loops or None}


def _basc(chunks: dict[bytes, bytes]) -> Said:
    """Apple Loops': version, beats, note, scale, metre, and whether it loops."""
    _, beats, note, scale, numerator, denominator, loops = struct.unpack_from(
        ">IIHHHHH", chunks[b"basc"]
    )
    return {
        "oneShot": not loops,
        "rootNote": _note(note),
        "scale": _SCALES.get(scale),
        "beats": _beats(beats),
        "timeSignature": _metre(numerator, denominator),
    }


def _inst(chunks: dict[bytes, bytes]) -> Said:
    """AIFF's Instrument chunk (Apple 1989): the base note, and a sustain loop between markers."""
    note, *_, mode, first, last = struct.unpack_from(">bbbbbbhhhh", chunks[b"INST"])
    marks = _marks(chunks.get(b"MARK", b""))
    start, end = marks.get(first), marks.get(last)
    is_loop = mode == 1 and start is not None and end is not None and start < end
    return {
        "rootNote": _note(note),
        "loops": [{"start": start, "end": end}] if is_loop else None,
    }


def _marks(content: bytes) -> dict[int, int]:
    """Frame by the marker's id; markers lie between frames."""
    marks: dict[int, int] = {}
    at = 2
    while at + 7 <= len(content):
        id_, frame, name = struct.unpack_from(">hIB", content, at)
        marks.setdefault(id_, frame)
        # The name has its length in front, and is padded to an even whole.
        at += 6 + (name + 2) // 2 * 2
    return marks


def _note(number: int) -> int | None:
    return number if 0 <= number <= 127 else None


def _beats(count: int) -> int | None:
    return count if 0 < count <= _MOST_BEATS else None


def _metre(numerator: int, denominator: int) -> str | None:
    if denominator not in _DENOMINATORS or not 0 < numerator <= 32:
        return None
    return f"{numerator}/{denominator}"
