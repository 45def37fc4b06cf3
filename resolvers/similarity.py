"""What sounds like what."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from loaders.neighbours import Search
from resolvers.scope import Scope
from samplemind.audio.blend import blend
from samplemind.audio.fingerprint import match
from samplemind.audio.reasons import reasons
from samplemind.domain.analysis import Reasons
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import (
    BadUserInput,
    DomainError,
    EmptyUpload,
    FileTooLarge,
    NotAnalyzed,
    NotFound,
)
from samplemind.domain.library import AudioFileFilter
from samplemind.domain.paging import Page, Row, Window
from samplemind.jobs.unsaved import embedding_of
from samplemind.vectors import Neighbour

Embedding = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SimilarAudioFile:
    """`score`: 1 is the same sound, 0 is unrelated. `target` is what it is like."""

    audio_file: AudioFile
    score: float
    target: Embedding


MAX_SEEDS = 20

# Results further away than this are not worth a page of their own.
_MAX_DEPTH = 2_000

# Among how many of the nearest sounds duplicates are looked for.
_LOOKED_THROUGH = 50

# Ten minutes of stereo at 44.1 kHz and 32 bits fit; more would take too long to wait for.
_UNSAVED_BYTES = 256 * 1024**2


async def similar_to(
    scope: Scope, seed: AudioFile, window: Window, filter_: AudioFileFilter | None
) -> Page[SimilarAudioFile]:
    """The nearest sounds, best first, without the seed.

    Raises NotAnalyzed where the seed has no vector, and BadUserInput for a bad cursor.
    """
    embedding = await scope.loaders.embeddings.load(seed)
    if not embedding:
        raise NotAnalyzed(
            "This file has no analysis of level STANDARD or above yet: run analyzeAudio first.",
            field=("target", "audioFileId"),
        )
    return await _nearest(scope, embedding, frozenset((seed.id,)), window, filter_)


async def similar_to_blend(
    scope: Scope,
    like: Sequence[str],
    unlike: Sequence[str],
    window: Window,
    filter_: AudioFileFilter | None,
) -> Page[SimilarAudioFile]:
    """What is like several sounds and unlike others, best first, without any of them.

    Raises BadUserInput, NotFound and NotAnalyzed, naming the sounds.
    """
    for name, ids in (("like", like), ("unlike", unlike)):
        if len(set(ids)) > MAX_SEEDS:
            message = f"`{name}` names {len(set(ids))} sounds: {MAX_SEEDS} is the most."
            raise BadUserInput(message, field=("target", "blend", name))
    if not like:
        message = "`like` is empty: name at least one sound to be like."
        raise BadUserInput(message, field=("target", "blend", "like"))
    if set(like) & set(unlike):
        message = "The same sound is in `like` and in `unlike`: leave it out of one."
        raise BadUserInput(message, field=("target", "blend", "unlike"))
    # In an order of their own: the same sounds give the same vector to the last bit, and pages
    # fit together.
    likes = await _embeddings(scope, sorted(set(like)), "like")
    unlikes = await _embeddings(scope, sorted(set(unlike)), "unlike")
    seeds = frozenset((*like, *unlike))
    return await _nearest(scope, blend(likes, unlikes), seeds, window, filter_)


async def similar_to_upload(
    scope: Scope, file: BinaryIO, filename: str, window: Window, filter_: AudioFileFilter | None
) -> Page[SimilarAudioFile]:
    """What is like a sound that is not stored, neither before nor after.

    Raises EmptyUpload, FileTooLarge and what embedding_of does.
    """
    try:
        size = await asyncio.to_thread(file.seek, 0, 2)
        limit = min(scope.parts.settings.max_upload_bytes, _UNSAVED_BYTES)
        if size > limit:
            message = f"To search with a sound that is not stored, it may have {limit:,} bytes."
            raise FileTooLarge(message)
        if not size:
            raise EmptyUpload("The file is empty: there is nothing to be like.")
        await asyncio.to_thread(file.seek, 0)
        embedding = await embedding_of(scope.parts, file, filename)
    except DomainError as error:
        error.field = ("target", "upload")
        raise
    return await _nearest(scope, tuple(embedding), frozenset(), window, filter_)


async def _embeddings(scope: Scope, ids: list[str], name: str) -> list[Embedding]:
    field = ("target", "blend", name)
    files = await scope.loaders.audio_files_by_id.load_many(ids)
    found = [file for file in files if file]
    if len(found) < len(ids):
        count = len(ids) - len(found)
        raise NotFound(f"{count} of the sounds in `{name}` are not in your library.", field=field)
    embeddings = await scope.loaders.embeddings.load_many(found)
    missing = [
        file.filename for file, known in zip(found, embeddings, strict=True) if known is None
    ]
    if missing:
        raise NotAnalyzed(
            f"Not analysed at level STANDARD or above yet: {', '.join(missing)}. Run analyzeAudio "
            "for each first.",
            field=field,
        )
    return [known for known in embeddings if known]


async def _nearest(
    scope: Scope,
    target: Embedding,
    seeds: frozenset[str],
    window: Window,
    filter_: AudioFileFilter | None,
) -> Page[SimilarAudioFile]:
    # More than the page: the seeds themselves, and one that tells whether more follow.
    position, after = (0, None) if window.after is None else _decode_key(window.after)
    count = min(position + window.size + len(seeds) + 1, _MAX_DEPTH)
    while True:
        found = await scope.loaders.neighbours.load(Search(target, count, filter_))
        ranked = [neighbour for neighbour in found if neighbour.audio_file_id not in seeds]
        if after:
            ranked = [neighbour for neighbour in ranked if _rank(neighbour) > after]
        if len(found) < count or count == _MAX_DEPTH or _is_whole(ranked, window.size):
            break
        count = min(2 * count, _MAX_DEPTH)
    shown = ranked[: window.size]
    files = await scope.loaders.audio_files_by_id.load_many([each.audio_file_id for each in shown])
    rows = [
        Row(_encode_key(position + number, each), SimilarAudioFile(file, each.score, target))
        for number, (each, file) in enumerate(zip(shown, files, strict=True), 1)
        # A file deleted this moment may still have its vector.
        if file is not None
    ]
    return Page(rows, has_next=len(ranked) > window.size, has_previous=after is not None)


async def why(scope: Scope, found: Sequence[SimilarAudioFile]) -> list[Reasons | None]:
    """What each similarity rests on; None where a vector has gone in the meantime."""
    others = await scope.loaders.embeddings.load_many([each.audio_file for each in found])
    return [
        reasons(each.target, other) if other else None
        for each, other in zip(found, others, strict=True)
    ]


async def duplicates(scope: Scope, audio_file: AudioFile) -> list[AudioFile]:
    """Files that hold the same sound: at another format, bitrate, gain, trim or sample rate.

    They are looked for among the nearest sounds, and told by their fingerprints. None before an
    analysis that makes one (STANDARD or above).
    """
    embedding = await scope.loaders.embeddings.load(audio_file)
    if not embedding or audio_file.analysis_id is None:
        return []
    near = await scope.loaders.neighbours.load(Search(embedding, _LOOKED_THROUGH))
    ids = [each.audio_file_id for each in near if each.audio_file_id != audio_file.id]
    files = [file for file in await scope.loaders.audio_files_by_id.load_many(ids) if file]
    analyzed = [(file, file.analysis_id) for file in files if file.analysis_id]
    prints = scope.loaders.fingerprints_by_analysis_id
    own, *others = await prints.load_many([audio_file.analysis_id, *(id_ for _, id_ in analyzed)])
    if own is None:
        return []
    return await asyncio.to_thread(
        lambda: [
            file
            for (file, _), other in zip(analyzed, others, strict=True)
            if other is not None and match(own, other).is_same_sound
        ]
    )


def _is_whole(ranked: list[Neighbour], size: int) -> bool:
    """Whether everything that ties with the last of a page was found: among equals the search
    takes whichever it meets, and the page goes by their ids."""
    if size == 0:
        return bool(ranked)
    return len(ranked) > size and ranked[-1].cosine < ranked[size - 1].cosine


def _rank(neighbour: Neighbour) -> tuple[float, str]:
    return -neighbour.cosine, neighbour.audio_file_id


def _encode_key(position: int, neighbour: Neighbour) -> str:
    return f"{position}:{neighbour.cosine!r}:{neighbour.audio_file_id}"


def _decode_key(key: str) -> tuple[int, tuple[float, str]]:
    try:
        position, score, id_ = key.split(":")
        return min(max(int(position), 0), _MAX_DEPTH), (-float(score), id_)
    except ValueError:
        message = "This cursor is not one of a similarity search."
        raise BadUserInput(message, field=("after",)) from None
