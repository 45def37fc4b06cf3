"""What sounds like what."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from resolvers.scope import Scope
from samplemind.audio.fingerprint import match
from samplemind.audio.reasons import reasons
from samplemind.domain.analysis import Reasons
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import BadUserInput, NotAnalyzed
from samplemind.domain.library import AudioFileFilter
from samplemind.domain.paging import Page, Row, Window
from samplemind.vectors import Neighbour


@dataclass(frozen=True, slots=True)
class SimilarAudioFile:
    """`score`: 1 is the same sound, 0 is unrelated. `seed_id` is the sound it is like."""

    audio_file: AudioFile
    score: float
    seed_id: str


# Results further away than this are not worth a page of their own.
_MAX_DEPTH = 2_000

# Among how many of the nearest sounds duplicates are looked for.
_LOOKED_THROUGH = 50


async def similar_to(
    scope: Scope, seed: AudioFile, window: Window, filter_: AudioFileFilter | None
) -> Page[SimilarAudioFile]:
    """The nearest sounds, best first, without the seed.

    Raises NotAnalyzed where the seed has no vector, and BadUserInput for a bad cursor.
    """
    embedding = await scope.loaders.embeddings_by_audio_file_id.load(seed.id)
    if not embedding:
        raise NotAnalyzed(
            "This file has no analysis of level STANDARD or above yet: run analyzeAudio first.",
            field=("target", "audioFileId"),
        )
    # Two more than the page: the seed itself, and one that tells whether more follow.
    position, after = (0, None) if window.after is None else _decode_key(window.after)
    count = min(position + window.size + 2, _MAX_DEPTH)
    while True:
        found = await scope.parts.vectors.nearest(scope.owner_id, embedding, count, filter_)
        ranked = [neighbour for neighbour in found if neighbour.audio_file_id != seed.id]
        if after:
            ranked = [neighbour for neighbour in ranked if _rank(neighbour) > after]
        if len(found) < count or count == _MAX_DEPTH or _is_whole(ranked, window.size):
            break
        count = min(2 * count, _MAX_DEPTH)
    shown = ranked[: window.size]
    files = await scope.loaders.audio_files_by_id.load_many([each.audio_file_id for each in shown])
    rows = [
        Row(_encode_key(position + number, each), SimilarAudioFile(file, each.score, seed.id))
        for number, (each, file) in enumerate(zip(shown, files, strict=True), 1)
        # A file deleted this moment may still have its vector.
        if file is not None
    ]
    return Page(rows, has_next=len(ranked) > window.size, has_previous=after is not None)


async def why(scope: Scope, found: Sequence[SimilarAudioFile]) -> list[Reasons | None]:
    """What each similarity rests on; None where a vector has gone in the meantime."""
    ids = [id_ for each in found for id_ in (each.seed_id, each.audio_file.id)]
    loaded = await scope.loaders.embeddings_by_audio_file_id.load_many(ids)
    pairs = zip(loaded[::2], loaded[1::2], strict=True)
    return [reasons(seed, other) if seed and other else None for seed, other in pairs]


async def duplicates(scope: Scope, audio_file: AudioFile) -> list[AudioFile]:
    """Files that hold the same sound: at another format, bitrate, gain, trim or sample rate.

    They are looked for among the nearest sounds, and told by their fingerprints. None before an
    analysis that makes one (STANDARD or above).
    """
    embedding = await scope.loaders.embeddings_by_audio_file_id.load(audio_file.id)
    if not embedding or audio_file.analysis_id is None:
        return []
    near = await scope.parts.vectors.nearest(scope.owner_id, embedding, _LOOKED_THROUGH)
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
