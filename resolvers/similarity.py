"""What sounds like what."""

from dataclasses import dataclass

from resolvers.scope import Scope
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import BadUserInput, NotAnalyzed
from samplemind.domain.library import AudioFileFilter
from samplemind.domain.paging import Page, Row, Window
from samplemind.vectors import Neighbour


@dataclass(frozen=True, slots=True)
class SimilarAudioFile:
    """`score`: 1 is the same sound, 0 is unrelated."""

    audio_file: AudioFile
    score: float


# Results further away than this are not worth a page of their own.
_MAX_DEPTH = 2_000


async def similar_to(
    scope: Scope, seed: AudioFile, window: Window, filter_: AudioFileFilter | None
) -> Page[SimilarAudioFile]:
    """The nearest sounds, best first, without the seed.

    Raises NotAnalyzed where the seed has no vector, and BadUserInput for a bad cursor.
    """
    embedding = seed.analysis_id and await scope.parts.store.analyses.embedding(
        scope.owner_id, seed.analysis_id
    )
    if not embedding:
        raise NotAnalyzed(
            "This file has no analysis of level STANDARD or above yet: run analyzeAudio first.",
            field=("target", "audioFileId"),
        )
    # Two more than the page: the seed itself, and one that tells whether more follow.
    position, after = _decode_key(window.after) if window.after else (0, None)
    count = min(position + window.size + 2, _MAX_DEPTH)
    found = await scope.parts.vectors.nearest(scope.owner_id, embedding, count, filter_)
    ranked = [neighbour for neighbour in found if neighbour.audio_file_id != seed.id]
    if after:
        ranked = [neighbour for neighbour in ranked if _rank(neighbour) > after]
    shown = ranked[: window.size]
    files = await scope.loaders.audio_files_by_id.load_many([each.audio_file_id for each in shown])
    rows = [
        Row(_encode_key(position + number, each), SimilarAudioFile(file, each.score))
        for number, (each, file) in enumerate(zip(shown, files, strict=True), 1)
        # A file deleted this moment may still have its vector.
        if file is not None
    ]
    return Page(rows, has_next=len(ranked) > window.size, has_previous=after is not None)


def _rank(neighbour: Neighbour) -> tuple[float, str]:
    return -neighbour.score, neighbour.audio_file_id


def _encode_key(position: int, neighbour: Neighbour) -> str:
    return f"{position}:{neighbour.score!r}:{neighbour.audio_file_id}"


def _decode_key(key: str) -> tuple[int, tuple[float, str]]:
    try:
        position, score, id_ = key.split(":")
        return min(int(position), _MAX_DEPTH), (-float(score), id_)
    except ValueError:
        message = "This cursor is not one of a similarity search."
        raise BadUserInput(message, field=("after",)) from None
