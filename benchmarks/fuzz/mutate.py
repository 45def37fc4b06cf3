"""Deterministic mutations of sound files, general ones and such that know a container."""

import struct
from collections.abc import Callable, Sequence
from random import Random

_LANDMARKS = {
    "wav": (
        b"RIFF",
        b"RF64",
        b"WAVE",
        b"fmt ",
        b"data",
        b"ds64",
        b"fact",
        b"LIST",
        b"id3 ",
        b"ID3",
    ),
    "aiff": (b"FORM", b"AIFF", b"AIFC", b"COMM", b"SSND", b"FVER", b"ID3 ", b"fl32"),
    "flac": (b"fLaC", b"Lavf", b"reference", b"TITLE", b"image/png", b"\xff\xf8"),
    "mp3": (b"ID3", b"APIC", b"TIT2", b"COMM", b"TXXX", b"Xing", b"Info", b"LAME", b"\xff\xf3"),
    "ogg": (b"OggS", b"\x01vorbis", b"\x03vorbis", b"\x05vorbis", b"BCV"),
    "opus": (b"OggS", b"OpusHead", b"OpusTags"),
    "m4a": (
        *(b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"mdia", b"mdhd", b"hdlr", b"minf"),
        *(b"stbl", b"stsd", b"mp4a", b"esds", b"stts", b"stsc", b"stsz", b"stco", b"udta"),
        *(b"meta", b"ilst", b"covr", b"data", b"mdat", b"free", b"\xff\xf1"),
    ),
}
"""Where fields lie that a reader believes: sizes, counts, rates, numbers of channels."""

_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000)
_FLOATS = (float("nan"), float("inf"), float("-inf"), 1e38, -1e38, 1e-45)
_MOST_BYTES = 1 << 20


def mutated(seeds: Sequence[bytes], others: Sequence[bytes], form: str, rng: Random) -> bytes:
    """One to four mutations of one of `seeds`; `others` are of other formats, to splice with."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        if not data:
            break
        mutate = rng.choice(_MUTATORS)
        data = mutate(data, form, seeds if rng.random() < 0.8 else others, rng)
        del data[_MOST_BYTES:]
    if form in ("ogg", "opus") and rng.random() < 0.8:
        seal_pages(data)
    return bytes(data)


def _flip_bits(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _flip_header(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 4))):
        data[rng.randrange(min(len(data), 128))] = rng.randrange(256)
    return data


def _lie(data: bytearray, form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    """An extreme value in a field near a landmark, such as a chunk's length before or after it."""
    landmark = rng.choice(_LANDMARKS[form])
    found = occurrences(data, landmark) or [0]
    _put(data, rng.choice(found) + rng.randrange(-8, 40), _extreme(rng))
    return data


def _put_extreme(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    _put(data, rng.randrange(len(data)), _extreme(rng))
    return data


def _truncate(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    return data[: rng.randrange(len(data))]


def _cut_out(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    start, end = _stretch(data, rng)
    del data[start:end]
    return data


def _repeat(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    start, end = _stretch(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 2, 20)) + data[end:]


def _reorder(data: bytearray, form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    """Cut at the landmarks, and joined in another order, some twice."""
    cuts = sorted({at for mark in _LANDMARKS[form] for at in occurrences(data, mark)})
    if len(cuts) < 2:
        return data
    cuts = sorted(rng.sample(cuts, min(len(cuts), 8)))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    first, rest = pieces[0], pieces[1:]
    rng.shuffle(rest)
    rest += rng.sample(rest, rng.randrange(min(3, len(rest))))
    return first + b"".join(rest)


def _splice(data: bytearray, _form: str, seeds: Sequence[bytes], rng: Random) -> bytearray:
    """The beginning of one and the end of another."""
    other = rng.choice(seeds)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def _insert(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    at, size = rng.randrange(len(data)), rng.choice((1, 3, 64, 4_096))
    junk = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    return data[:at] + junk + data[at:]


def _break_samples(data: bytearray, _form: str, _seeds: Sequence[bytes], rng: Random) -> bytearray:
    """What is no number, in the middle."""
    at = len(data) // 2 & ~3
    for step in range(rng.choice((1, 100))):
        _put(data, at + 4 * step, struct.pack(rng.choice("<>") + "f", rng.choice(_FLOATS)))
    return data


_MUTATORS: tuple[Callable[[bytearray, str, Sequence[bytes], Random], bytearray], ...] = (
    *(_flip_bits, _flip_header, _lie, _lie, _lie, _put_extreme, _truncate, _cut_out),
    *(_repeat, _reorder, _splice, _insert, _break_samples),
)


def _extreme(rng: Random) -> bytes:
    width = rng.choice((1, 2, 4, 4, 8))
    value = rng.choice((*_EXTREMES, rng.randrange(1 << 32), (1 << 8 * width) - 1))
    return (value % (1 << 8 * width)).to_bytes(width, rng.choice(("little", "big")))


def _put(data: bytearray, at: int, value: bytes) -> None:
    at = min(max(at, 0), max(len(data) - len(value), 0))
    data[at : at + len(value)] = value


def _stretch(data: bytearray, rng: Random) -> tuple[int, int]:
    start = rng.randrange(len(data))
    return start, min(start + rng.choice((1, 8, 100, 2_000)), len(data))


def occurrences(data: bytearray, mark: bytes) -> list[int]:
    """Where `mark` begins, 64 times at most."""
    found, at = [], data.find(mark)
    while at >= 0 and len(found) < 64:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def seal_pages(data: bytearray) -> None:
    """Ogg pages with a wrong checksum are skipped: gives each the one of what it holds now."""
    for at in occurrences(data, b"OggS"):
        if at + 27 > len(data):
            continue
        segments = data[at + 26]
        end = at + 27 + segments + sum(data[at + 27 : at + 27 + segments])
        data[at + 22 : at + 26] = bytes(4)
        data[at + 22 : at + 26] = _ogg_checksum(data[at:end]).to_bytes(4, "little")


def _ogg_checksum(page: bytearray) -> int:
    """RFC 3533: CRC-32 of polynomial 0x04C11DB7, neither reflected nor inverted."""
    checksum = 0
    for byte in page:
        checksum = (checksum << 8) & 0xFFFFFFFF ^ _CRC[checksum >> 24 ^ byte]
    return checksum


def _crc_of(byte: int) -> int:
    value = byte << 24
    for _ in range(8):
        value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


_CRC = [_crc_of(byte) for byte in range(256)]
