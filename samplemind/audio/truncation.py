"""Whether a file ends before it says."""

import os
import struct
from typing import IO


def iff_is_truncated(file: IO[bytes]) -> bool:
    """True where the chunk that holds the samples claims more bytes than follow.

    RIFF/RF64 (EBU Tech 3306) are little-endian, AIFF (FORM) is big-endian.
    """
    size = os.fstat(file.fileno()).st_size
    order = ">" if file.read(12)[:4] in (b"FORM", b"RIFX") else "<"
    large: int | None = None
    while len(header := file.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", header)
        at = file.tell()
        if name == b"ds64":
            large = struct.unpack("<Q", file.read(16)[8:])[0]
        if name in (b"data", b"SSND"):
            if length == 0xFFFFFFFF:
                # Without a ds64 chunk this is a recorder that streamed and never came back.
                return large is not None and at + large > size
            return at + length > size
        file.seek(at + length + length % 2)
    return False


def ogg_is_truncated(file: IO[bytes]) -> bool:
    """True where the last page is incomplete or lacks the end-of-stream flag (RFC 3533)."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - 0x20000))
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return True
    is_whole = len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    return not (is_whole and page[5] & 4)


def mp3_is_truncated(file: IO[bytes]) -> bool:
    """True where a Xing or Info header counts more bytes of audio than follow it.

    An MP3 without such a header makes no claim, so that nothing can be missing.
    """
    size = os.fstat(file.fileno()).st_size
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3":
        a, b, c, d = head[6:10]
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    file.seek(start)
    frame = file.read(4096)
    sync = frame.find(b"\xff")
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if sync < 0 or at < 0 or len(frame) < at + 16:
        return False
    flags = struct.unpack(">I", frame[at + 4 : at + 8])[0]
    if not flags & 2:
        return False
    after_frames = at + 8 + 4 * (flags & 1)
    claimed = struct.unpack(">I", frame[after_frames : after_frames + 4])[0]
    return start + sync + claimed > size
