"""Audio bytes from one store to another, and how far that is."""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from bson import decode_file_iter
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from samplemind.blobs import Blobs
from samplemind.domain.audio_file import blob_key

_AT_ONCE = 4

_RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)


class Step(Protocol):
    def advance(self, files: int = 0, *, size: int = 0) -> None: ...


Stage = Callable[[str, int, int], AbstractContextManager[Step]]
"""Begins a step over so many files of so many bytes."""


class _Silent:
    def advance(self, files: int = 0, *, size: int = 0) -> None: ...


def silent(doing: str, files: int, size: int) -> AbstractContextManager[Step]:
    return nullcontext(_Silent())


@dataclass(frozen=True, slots=True)
class Sound:
    """The bytes of a row."""

    key: str
    sha256: str
    size_bytes: int


class Damaged(Exception):
    """Bytes that are not those of their hash."""


def sounds(path: Path) -> Iterator[Sound]:
    """Those of the rows in a snapshot's file of audio files."""
    for row in documents(path):
        yield sound_of(row)


def sound_of(row: Mapping[str, Any]) -> Sound:
    key = blob_key(row["owner_id"], row["sha256"])
    return Sound(key, row["sha256"], row["size_bytes"])


def documents(path: Path) -> Iterator[RawBSONDocument]:
    with gzip.open(path) as file:
        yield from decode_file_iter(cast("BinaryIO", file), _RAW)


async def copy(source: Blobs, from_: str, target: Blobs, to: str, sound: Sound) -> bool:
    """Whether it was copied: not where it is there already. Nothing is there of what broke off.

    Raises FileNotFoundError, Damaged.
    """
    if await target.size(to) == sound.size_bytes:
        return False
    await target.put(to, checked(source, from_, sound.sha256))
    return True


async def checked(source: Blobs, key: str, sha256: str) -> AsyncIterator[bytes]:
    """The bytes. Raises Damaged at their end where they are others, and FileNotFoundError."""
    digest = hashlib.sha256()
    async for chunk in source.stream(key):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != sha256:
        raise Damaged(key)


async def each(
    sounds: Iterator[Sound], work: Callable[[Sound], Awaitable[None]], step: Step
) -> None:
    """A few at a time."""

    async def take() -> None:
        for sound in sounds:
            await work(sound)
            step.advance(1, size=sound.size_bytes)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(take())
