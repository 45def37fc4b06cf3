"""Embedded tags (ID3, RIFF INFO, Vorbis comments, MP4 atoms) as one flat dictionary."""

import io
import os
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import mutagen
from mutagen.id3 import ID3, TextFrame, UrlFrame

MOST_TAGS = 100
LONGEST_VALUE = 2_000
LONGEST_NAME = 100
MOST_CHARACTERS = 20_000
"""Of all names and values of a file together."""

_MOST_READ = 32 * 1024**2

_NAMES = {
    "TIT2": "title",
    "TPE1": "artist",
    "TPE2": "albumartist",
    "TALB": "album",
    "TCON": "genre",
    "TDRC": "date",
    "TRCK": "tracknumber",
    "TCOM": "composer",
    "TCOP": "copyright",
    "TBPM": "bpm",
    "TKEY": "initialkey",
    "TSSE": "encoder",
    "COMM": "comment",
    "USLT": "lyrics",
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "aART": "albumartist",
    "\xa9alb": "album",
    "\xa9gen": "genre",
    "\xa9day": "date",
    "\xa9wrt": "composer",
    "\xa9too": "encoder",
    "\xa9cmt": "comment",
    "\xa9lyr": "lyrics",
    "cprt": "copyright",
    "tmpo": "bpm",
}


def read_tags(path: Path) -> dict[str, object]:
    """Tag name to text, or to a list of texts where a tag has several.

    Pictures and other binary values are left out, control characters removed, and long values
    cut, so that the result is safe to store and to send as JSON. Empty where there are no tags,
    or none that can be read: behind pictures of more than 32 MiB they cannot.
    """
    try:
        with _Sparing(io.FileIO(path)) as source:
            file = mutagen.File(source)  # pyright: ignore[reportPrivateImportUsage]
        pairs = list(_pairs(file.tags)) if file is not None and file.tags is not None else []
    except Exception:  # hostile tags break mutagen in many ways, and tags are never worth failing
        return {}
    return clean(pairs)


def clean(pairs: Iterable[tuple[str, list[str]]]) -> dict[str, object]:
    """The first MOST_TAGS names that have a value left after cleaning, and have room."""
    tags: dict[str, list[str]] = {}
    room = MOST_CHARACTERS
    for name, values in pairs:
        name = _text(name, LONGEST_NAME)
        if not name or (name not in tags and len(tags) == MOST_TAGS):
            continue
        for value in values:
            text = _text(value, LONGEST_VALUE)
            if text and len(name) + len(text) <= room and len(tags.get(name, ())) < MOST_TAGS:
                room -= len(name) + len(text)
                tags.setdefault(name, []).append(text)
    return {name: texts[0] if len(texts) == 1 else texts for name, texts in tags.items()}


class _Sparing(io.BufferedReader):
    """A file of which only so much can be read."""

    _left = _MOST_READ

    def read(self, size: int | None = -1, /) -> bytes:
        there = os.fstat(self.fileno()).st_size - self.tell()
        wanted = there if size is None or size < 0 else min(size, there)
        if wanted > self._left:
            raise OSError("the tags are too large")
        self._left -= max(wanted, 0)
        return super().read(size)


def _pairs(tags: object) -> Iterator[tuple[str, list[str]]]:
    if isinstance(tags, ID3):
        for frame in tags.values():
            kind = type(frame).__name__
            name = str(getattr(frame, "desc", "")) if kind in ("TXXX", "WXXX") else kind
            if isinstance(frame, UrlFrame):
                yield name, [str(frame)]
            elif isinstance(frame, TextFrame):
                yield _NAMES.get(name, name), [str(text) for text in getattr(frame, "text", ())]
            elif kind == "USLT":
                yield _NAMES[kind], [str(frame)]
        return
    for name, value in tags.items():  # pyright: ignore[reportAttributeAccessIssue]
        values = value if isinstance(value, list) else [value]
        if name.lower() == "metadata_block_picture":
            continue
        texts = [str(v) for v in values if isinstance(v, str | int | float | tuple)]
        yield _NAMES.get(name) or (name.lower() if name.isupper() else name), texts


def _text(value: str, longest: int) -> str:
    kept = (c for c in value[: 2 * longest] if c in "\n\t" or unicodedata.category(c)[0] != "C")
    return "".join(kept).strip()[:longest]
