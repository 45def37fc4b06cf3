"""Files: reading, uploading, changing, deleting."""

import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from resolvers.analyses import request_analysis
from resolvers.audit import note
from resolvers.quota import give_back, room_for
from resolvers.scope import Scope
from samplemind import metrics
from samplemind.ai.insight import NAME as INSIGHT
from samplemind.auth.endings import user_name
from samplemind.domain.analysis import Analysis, AnalysisOptions
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.audit_event import AuditAction
from samplemind.domain.errors import EmptyUpload, FileTooLarge, NotFound, Unauthenticated
from samplemind.domain.ids import new_id, now
from samplemind.domain.library import AudioFileFilter, AudioFileOrder, LibraryStats
from samplemind.domain.naming import clean_filename, clean_tags
from samplemind.domain.paging import Page, Window
from samplemind.jobs.notify import tell_of_deletion
from samplemind.jobs.vectors import remove_vector, rename_vector

_CHUNK_BYTES = 1024 * 1024


async def audio_file(scope: Scope, id_: str) -> AudioFile:
    """Raises NotFound."""
    found = await scope.loaders.audio_files_by_id.load(id_)
    if found is None:
        raise NotFound("There is no such file in your library.", field=("id",))
    return found


async def audio_files_by_ids(scope: Scope, ids: Sequence[str]) -> list[AudioFile]:
    """In the order of `ids`. Raises NotFound."""
    found = await scope.loaders.audio_files_by_id.load_many(ids)
    if None in found:
        raise NotFound("There is no such file in your library.", field=("id",))
    return [file for file in found if file]


async def audio_files(
    scope: Scope, window: Window, order: AudioFileOrder, filter_: AudioFileFilter | None
) -> Page[AudioFile]:
    page = await scope.parts.store.audio_files.page(scope.owner_id, window, order, filter_)
    for row in page.rows:
        scope.loaders.audio_files_by_id.prime(row.value.id, row.value)
    return page


async def count_audio_files(scope: Scope, filter_: AudioFileFilter | None) -> int:
    return await scope.loaders.audio_file_counts.load(filter_ or AudioFileFilter())


async def library_stats(scope: Scope, filter_: AudioFileFilter | None) -> LibraryStats:
    return await scope.parts.store.audio_files.stats(scope.owner_id, filter_)


async def upload_audio(
    scope: Scope,
    file: BinaryIO,
    filename: str,
    tags: Sequence[str],
    options: AnalysisOptions | None,
) -> tuple[AudioFile, Analysis | None]:
    """Stores a sound and, where options are given, asks for its analysis.

    The same bytes give the same file again, with the new tags added. Nothing is stored of what
    is not a sound, or is more than one may be: raises FileTooLarge, BadUserInput, QuotaExceeded and
    what `Readers.facts` does.
    """
    cleaned_tags = clean_tags(tags, field=("input", "tags"))
    with tempfile.TemporaryDirectory(prefix="samplemind-") as folder:
        path = Path(folder) / "upload"
        limit = scope.parts.settings.max_upload_bytes
        copy = await asyncio.to_thread(_copy, file, path, limit)
        stored = await scope.parts.store.audio_files.by_content(scope.owner_id, copy.sha256)
        metrics.upload_bytes.inc(copy.size_bytes)
        if stored is None:
            stored = await _store(scope, path, copy, clean_filename(filename), cleaned_tags)
    missing = [tag for tag in cleaned_tags if tag not in stored.tags]
    if missing:
        clean_tags([*stored.tags, *missing], field=("input", "tags"))
        stored = await add_tags(scope, stored, missing)
    analysis = await request_analysis(scope, stored, options) if options else None
    return stored, analysis


async def update_audio_file(
    scope: Scope, id_: str, filename: str | None, tags: Sequence[str] | None
) -> AudioFile:
    """Changes what is given. Raises NotFound, BadUserInput."""
    current = await audio_file(scope, id_)
    changed = replace(
        current,
        filename=current.filename if filename is None else clean_filename(filename),
        tags=current.tags if tags is None else clean_tags(tags, field=("input", "tags")),
    )
    await scope.parts.store.audio_files.rename(changed)
    scope.loaders.audio_files_by_id.clear(id_).prime(id_, changed)
    if current.analysis_id:
        await rename_vector(scope.parts, changed)
    return changed


async def add_tags(
    scope: Scope, current: AudioFile, tags: Sequence[str], *, accepted: Sequence[str] = ()
) -> AudioFile:
    """Adds clean tags. Those that are `accepted` are no longer refused. Raises NotFound."""
    changed = await scope.parts.store.audio_files.add_tags(
        scope.owner_id, current.id, tags, accepted=accepted
    )
    if changed is None:
        raise NotFound("This file was deleted meanwhile: upload it again.")
    scope.loaders.audio_files_by_id.clear(changed.id).prime(changed.id, changed)
    if changed.analysis_id and tags:
        await rename_vector(scope.parts, changed)
    return changed


async def delete_audio_file(scope: Scope, id_: str) -> None:
    """Removes the file, its bytes, its vector and its results. Raises NotFound."""
    current = await audio_file(scope, id_)
    # The row last: until it is gone, the deletion can be asked for again.
    await remove_vector(scope.parts, scope.owner_id, id_)
    await scope.parts.store.analyses.forget_file(scope.owner_id, id_)
    await scope.parts.store.ai_answers.forget(scope.owner_id, INSIGHT, current.sha256)
    await scope.parts.blobs.remove(current.blob_key)
    await tell_of_deletion(scope.parts, current)
    await scope.parts.store.audio_files.remove(scope.owner_id, id_)
    await give_back(scope, current)
    await note(scope, AuditAction.AUDIO_FILE_DELETED, scope.owner_id, id_)
    scope.loaders.audio_files_by_id.clear(id_)


@dataclass(frozen=True, slots=True)
class _Copy:
    sha256: str
    size_bytes: int


def _copy(file: BinaryIO, path: Path, limit: int) -> _Copy:
    """Writes `file` to `path` and hashes it on the way, a MiB at a time."""
    digest, size = hashlib.sha256(), 0
    # A request may name one file in several places.
    file.seek(0)
    with path.open("wb") as target:
        while chunk := file.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > limit:
                message = f"The file is larger than {limit:,} bytes, the most that is accepted."
                raise FileTooLarge(message, field=("input", "file"))
            digest.update(chunk)
            target.write(chunk)
    if not size:
        raise EmptyUpload("The file is empty: there is nothing to store.", field=("input", "file"))
    return _Copy(digest.hexdigest(), size)


async def _require_account(scope: Scope, file: AudioFile) -> None:
    """Raises Unauthenticated where the account was deleted while the file came: nobody would ever
    remove what came too late."""
    parts, owner_id = scope.parts, scope.owner_id
    if scope.caller.ends and await parts.endings.has_ended([user_name(owner_id)]):
        await parts.store.forget_library(owner_id)
        await parts.blobs.remove(file.blob_key)
        await parts.cache.forget(owner_id)
        raise Unauthenticated("This account was deleted.")


async def _store(
    scope: Scope, path: Path, copy: _Copy, filename: str, tags: tuple[str, ...]
) -> AudioFile:
    facts = await scope.parts.readers.facts(path, filename)
    audio_file = AudioFile(
        id=new_id(),
        owner_id=scope.owner_id,
        filename=filename,
        size_bytes=copy.size_bytes,
        sha256=copy.sha256,
        facts=facts,
        tags=tags,
        uploaded_at=now(),
    )
    async with room_for(scope, copy.size_bytes, facts.duration_seconds):
        # The bytes first: a row never points to nothing.
        await scope.parts.blobs.put(audio_file.blob_key, path, facts.media_type)
        stored = await scope.parts.store.audio_files.add(audio_file)
        await _require_account(scope, audio_file)
    if stored.id != audio_file.id:
        await give_back(scope, audio_file)
    return stored
