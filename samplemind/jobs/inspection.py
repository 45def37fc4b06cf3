"""Whether rows, audio bytes and vectors of an owner agree, and making them.

Nothing writes to three places at once: whoever dies between two of them leaves bytes without a
row, a row without its vector, a vector without its row. `reconcile` knows what was asked for and
looks there alone; here everything is compared.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.ids import now
from samplemind.jobs.progress import is_miscounted, recount
from samplemind.jobs.vectors import sync_vector
from samplemind.parts import Parts
from samplemind.store.audio_files import Outline

_UPLOADS, _UNSAVED = "uploads", "unsaved"


class Fault(StrEnum):
    """What may be wrong."""

    BYTES_WITHOUT_FILE = "bytes without file"
    FILE_WITHOUT_BYTES = "file without bytes"
    """Cannot be mended here: a backup may have them, or the file is uploaded again."""
    VECTOR_WITHOUT_FILE = "vector without file"
    FILE_WITHOUT_VECTOR = "file without vector"
    VECTORS_OF_ANOTHER_ENGINE = "vectors of another engine"
    ANALYSIS_WITHOUT_FILE = "analysis without file"
    ANALYSIS_WITHOUT_BATCH = "analysis without batch"
    BATCH_MISCOUNTED = "batch miscounted"


@dataclass(frozen=True, slots=True)
class Finding:
    """`subject` is an id, a key or a version. `mend` is None where nobody can."""

    fault: Fault
    owner_id: str
    subject: str
    mend: Callable[[], Awaitable[object]] | None


async def owners(parts: Parts) -> list[str]:
    """Whoever has files, or bytes."""
    found = [owner_id async for owner_id in parts.store.audio_files.owners()]
    of_bytes = {prefix.rstrip("/") for prefix in await parts.blobs.prefixes()}
    return sorted({*found, *of_bytes} - {_UPLOADS, _UNSAVED})


async def inspect(parts: Parts, owner_id: str, older_than: timedelta) -> AsyncIterator[Finding]:
    """All that does not agree. Bytes younger than `older_than` may belong to an upload that goes
    on, and are left out. Raises PartUnavailable."""
    moment = now() - older_than
    async for finding in _bytes(parts, owner_id, moment):
        yield finding
    async for finding in _vectors(parts, owner_id):
        yield finding
    async for finding in _analyses(parts, owner_id):
        yield finding


async def inspect_passing(parts: Parts, older_than: timedelta) -> AsyncIterator[Finding]:
    """Bytes that are nobody's yet: of announced uploads, and of sounds that are not stored."""
    moment = now() - older_than
    async for key, modified in parts.blobs.keys(_UNSAVED):
        if modified < moment:
            yield _orphan(parts, "", key, modified)
    async for key, modified in parts.blobs.keys(_UPLOADS):
        _, owner_id, id_ = key.split("/")
        if modified < moment and await parts.store.uploads.by_id(owner_id, id_) is None:
            yield _orphan(parts, owner_id, key, modified)


async def _bytes(parts: Parts, owner_id: str, moment: datetime) -> AsyncIterator[Finding]:
    # The bytes first: a file that is stored meanwhile has its bytes before its row.
    stored = {key.rpartition("/")[2]: (key, at) async for key, at in parts.blobs.keys(owner_id)}
    rows = {file.sha256: file.id async for file in parts.store.audio_files.outlines(owner_id)}
    for sha256, (key, modified) in stored.items():
        if sha256 not in rows and modified < moment:
            yield _orphan(parts, owner_id, key, modified)
    for sha256, id_ in rows.items():
        if sha256 not in stored and await _is_missing(parts, owner_id, id_):
            yield Finding(Fault.FILE_WITHOUT_BYTES, owner_id, id_, None)


async def _is_missing(parts: Parts, owner_id: str, id_: str) -> bool:
    """Now: it may have been deleted since it was read, or come after the bytes were listed."""
    [file] = await parts.store.audio_files.by_ids(owner_id, [id_])
    return file is not None and await parts.blobs.size(file.blob_key) is None


def _orphan(parts: Parts, owner_id: str, key: str, modified: datetime) -> Finding:
    async def remove() -> None:
        # The same bytes may have been uploaded again meanwhile.
        if await parts.blobs.written_at(key) == modified:
            await parts.blobs.remove(key)

    return Finding(Fault.BYTES_WITHOUT_FILE, owner_id, key, remove)


async def _vectors(parts: Parts, owner_id: str) -> AsyncIterator[Finding]:
    versions = await parts.vectors.versions(owner_id)
    there = set(await parts.vectors.ids(owner_id)) if ENGINE_VERSION in versions else set()
    engines: set[str | None] = set()
    files: set[str] = set()
    async for file in parts.store.audio_files.outlines(owner_id):
        files.add(file.id)
        engines.add(file.engine_version)
        if file.id not in there and await _lacks_vector(parts, owner_id, file):
            yield _vector(parts, Fault.FILE_WITHOUT_VECTOR, owner_id, file.id)
    for id_ in sorted(there - files):
        # It may be of a file that came since they were read.
        [file] = await parts.store.audio_files.by_ids(owner_id, [id_])
        if file is None:
            yield _vector(parts, Fault.VECTOR_WITHOUT_FILE, owner_id, id_)
    for version in versions:
        if version != ENGINE_VERSION and version not in engines:
            yield _old_vectors(parts, owner_id, version)


async def _lacks_vector(parts: Parts, owner_id: str, file: Outline) -> bool:
    if not file.analysis_id or file.engine_version != ENGINE_VERSION:
        return False
    # BASIC makes none.
    if not await parts.store.analyses.embedding(owner_id, file.analysis_id):
        return False
    # It may have come since they were listed.
    return await parts.vectors.embeddings(owner_id, [file.id]) == [None]


def _vector(parts: Parts, fault: Fault, owner_id: str, audio_file_id: str) -> Finding:
    async def sync() -> None:
        await sync_vector(parts, owner_id, audio_file_id)

    return Finding(fault, owner_id, audio_file_id, sync)


def _old_vectors(parts: Parts, owner_id: str, version: str) -> Finding:
    async def forget() -> None:
        await parts.vectors.forget_version(owner_id, version)

    return Finding(Fault.VECTORS_OF_ANOTHER_ENGINE, owner_id, version, forget)


async def _analyses(parts: Parts, owner_id: str) -> AsyncIterator[Finding]:
    # The analyses first: what they belong to was there before them.
    runs = [run async for run in parts.store.analyses.outlines(owner_id) if run.status.is_final]
    files = {file.id async for file in parts.store.audio_files.outlines(owner_id)}
    batches = set(await parts.store.batch_jobs.ids(owner_id))
    for run in runs:
        if run.batch_id and run.batch_id not in batches:
            yield _analysis(parts, Fault.ANALYSIS_WITHOUT_BATCH, owner_id, run.id)
        elif not run.batch_id and run.audio_file_id not in files:
            yield _analysis(parts, Fault.ANALYSIS_WITHOUT_FILE, owner_id, run.id)
    for batch_id in sorted(batches):
        if await is_miscounted(parts, batch_id):
            yield _batch(parts, owner_id, batch_id)


def _analysis(parts: Parts, fault: Fault, owner_id: str, analysis_id: str) -> Finding:
    async def forget() -> None:
        await parts.store.analyses.forget([analysis_id])

    return Finding(fault, owner_id, analysis_id, forget)


def _batch(parts: Parts, owner_id: str, batch_id: str) -> Finding:
    async def mend() -> None:
        await recount(parts, batch_id)

    return Finding(Fault.BATCH_MISCOUNTED, owner_id, batch_id, mend)
