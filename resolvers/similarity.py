"""What sounds like what."""

from dataclasses import dataclass

from resolvers.scope import Scope
from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus
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

# How many of a file's newest analyses are looked through for a vector.
_RECENT = 50


async def similar_to(
    scope: Scope, seed: AudioFile, window: Window, filter_: AudioFileFilter | None
) -> Page[SimilarAudioFile]:
    """The nearest sounds, best first, without the seed.

    Raises NotAnalyzed where the seed has no vector, and BadUserInput for a bad cursor.
    """
    embedding = await _embedding(scope, seed)
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
        Row(_encode_key(position + number, each), SimilarAudioFile(file, each.score))
        for number, (each, file) in enumerate(zip(shown, files, strict=True), 1)
        # A file deleted this moment may still have its vector.
        if file is not None
    ]
    return Page(rows, has_next=len(ranked) > window.size, has_previous=after is not None)


async def _embedding(scope: Scope, seed: AudioFile) -> list[float] | None:
    """The vector of the newest analysis that has one: a BASIC one may have followed it."""
    if seed.analysis_id is None:
        return None
    store = scope.parts.store.analyses
    if found := await store.embedding(scope.owner_id, seed.analysis_id):
        return found
    recent = await store.page_of_file(scope.owner_id, seed.id, Window(_RECENT))
    for row in recent.rows:
        done = row.value.status is AnalysisStatus.SUCCEEDED
        if done and row.value.level.includes(AnalysisLevel.STANDARD):
            return await store.embedding(scope.owner_id, row.value.id)
    return None


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
