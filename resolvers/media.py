"""A file's bytes and its picture: how a client plays and draws it."""

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta

from resolvers.scope import Scope
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import BadUserInput, NotFound
from samplemind.links import LinkKind, hour_from_now

MOST_POINTS = 4_000
DEFAULT_POINTS = 400

# The bytes of a hash never change, so this only bounds what Redis holds.
_KEPT_SECONDS = 30 * 24 * 3_600

# Each holds a bucket's file on disk.
_decoding = asyncio.Semaphore(os.cpu_count() or 1)


async def media_urls(scope: Scope, files: Sequence[AudioFile]) -> list[str]:
    """Where the bytes are served to whoever has this URL, for an hour; in the order of `files`."""
    parts, expires_at = scope.parts, hour_from_now()
    if parts.blobs.signs:
        keys = [file.blob_key for file in files]
        return await parts.blobs.signed_urls("GET", keys, timedelta(hours=1))
    return [
        scope.base_url + parts.links.path(LinkKind.MEDIA, file.owner_id, file.id, expires_at)
        for file in files
    ]


async def waveform(scope: Scope, file: AudioFile, points: int) -> list[float]:
    """The peak of each of `points` equal stretches, 0 to 1. Raises BadUserInput, NotFound and what
    `Readers.peaks` does."""
    if not 1 <= points <= MOST_POINTS:
        message = f"`points` is {points}: ask for 1 to {MOST_POINTS}."
        raise BadUserInput(message, field=("points",))

    async def draw() -> list[float]:
        frames = round(file.facts.duration_seconds * file.facts.sample_rate)
        try:
            async with _decoding, scope.parts.blobs.file(file.blob_key) as path:
                return await scope.parts.readers.peaks(path, frames, points)
        except FileNotFoundError:
            raise NotFound("This file was deleted meanwhile.") from None

    # The owner's own: how fast it comes must not tell what others have.
    key = f"waveform:{file.owner_id}:{file.sha256}:{points}"
    return await scope.parts.cache.get_or_make(key, draw, seconds=_KEPT_SECONDS)
