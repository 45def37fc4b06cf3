"""From a backup into parts, wherever they are."""

import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from bson.raw_bson import RawBSONDocument

from samplemind.audio import ENGINE_VERSION
from samplemind.backups.copying import (
    Damaged,
    Sound,
    Stage,
    checked,
    copy,
    documents,
    each,
    silent,
    sound_of,
    sounds,
)
from samplemind.backups.snapshot import FILES, Backup, BackupError, Manifest, blob
from samplemind.domain.audio_file import AudioFile
from samplemind.parts import Parts
from samplemind.store.migrations import CURRENT

_AT_ONCE = 500


async def restore(
    parts: Parts,
    place: str,
    snapshot: str | None = None,
    *,
    force: bool = False,
    stage: Stage = silent,
) -> tuple[str, Manifest]:
    """Puts a snapshot, the newest where none is named, back: bytes, then rows, then vectors.

    What broke off can be done again with `force`, which writes over what has the same id and leaves
    the rest. Raises BackupError before anything is written: where the snapshot is not whole, is of
    a later schema, or something is stored here already.
    """
    backup = Backup(place, parts.settings.blob_timeout_seconds)
    with tempfile.TemporaryDirectory(prefix="samplemind-") as temporary:
        folder = Path(temporary)
        name, manifest = await _fetch(backup, snapshot, folder, stage)
        if manifest.schema > CURRENT:
            raise BackupError("It was made by a later SampleMind: upgrade this one first.")
        if not force and not await parts.store.raw.is_empty():
            raise BackupError(
                "Something is stored here already: restore into empty parts, or write over it "
                "with --force."
            )
        await _restore_sounds(parts, backup, manifest, folder, stage)
        with stage("Documents", len(manifest.collections), 0) as step:
            for collection in manifest.collections:
                await _restore_documents(parts, manifest, collection, folder / collection)
                step.advance(1)
        await parts.store.schema.migrate(since=manifest.schema)
    with stage("Vectors", manifest.files, 0) as step:
        async for files in parts.store.audio_files.analyzed(_AT_ONCE):
            await _restore_vectors(parts, files)
            step.advance(len(files))
    for owner_id in await parts.store.users.ids():
        await parts.cache.forget(owner_id)
    return name, manifest


async def check(
    parts: Parts, place: str, snapshot: str | None = None, *, stage: Stage = silent
) -> tuple[str, Manifest]:
    """Reads a whole snapshot and writes nothing. Raises BackupError where it is not whole."""
    backup = Backup(place, parts.settings.blob_timeout_seconds)
    with tempfile.TemporaryDirectory(prefix="samplemind-") as folder:
        name, manifest = await _fetch(backup, snapshot, Path(folder), stage)
        left_out = manifest.left_out

        async def look(sound: Sound) -> None:
            if sound.key not in left_out:
                async for _ in checked(backup.blobs, blob(sound.key), sound.sha256):
                    pass

        await _each_sound(manifest, Path(folder) / FILES, look, stage)
    return name, manifest


async def _fetch(
    backup: Backup, snapshot: str | None, folder: Path, stage: Stage
) -> tuple[str, Manifest]:
    """All files of the documents into `folder`, as they were written."""
    name, manifest = await backup.manifest(snapshot)
    with stage("Checking", len(manifest.collections), 0) as step:
        for each_, collection in manifest.collections.items():
            await backup.fetch(name, each_, collection, folder / each_)
            step.advance(1)
    return name, manifest


async def _restore_sounds(
    parts: Parts, backup: Backup, manifest: Manifest, folder: Path, stage: Stage
) -> None:
    left_out = manifest.left_out

    async def take(sound: Sound) -> None:
        if sound.key not in left_out:
            await copy(backup.blobs, blob(sound.key), parts.blobs, sound.key, sound)

    await _each_sound(manifest, folder / FILES, take, stage)


async def _each_sound(
    manifest: Manifest, files: Path, work: Callable[[Sound], Awaitable[None]], stage: Stage
) -> None:
    if not manifest.files:
        return
    try:
        with stage("Sounds", manifest.files, manifest.size_bytes) as step:
            await each(sounds(files), work, step)
    except* (FileNotFoundError, Damaged) as errors:
        [error, *_] = errors.exceptions
        what = "missing" if isinstance(error, FileNotFoundError) else "damaged"
        message = f"The bytes of a sound are {what} in the backup: {error}. Nothing refers to them."
        raise BackupError(message) from error


async def _restore_documents(parts: Parts, manifest: Manifest, collection: str, path: Path) -> None:
    found: Iterable[RawBSONDocument] = documents(path)
    if collection == FILES:
        left_out = manifest.left_out
        found = (row for row in found if sound_of(row).key not in left_out)
    for some in _in_groups(iter(found)):
        await parts.store.raw.write(collection, some)


def _in_groups(documents: Iterator[RawBSONDocument]) -> Iterator[list[RawBSONDocument]]:
    while some := list(islice(documents, _AT_ONCE)):
        yield some


async def _restore_vectors(parts: Parts, files: list[AudioFile]) -> None:
    """Made again of what is stored of the analyses; those of another engine are analysed anew by
    the first worker that starts."""
    for owner_id in {file.owner_id for file in files}:
        own = {file.analysis_id: file for file in files if file.owner_id == owner_id}
        known = await parts.store.analyses.whole(owner_id, [id_ for id_ in own if id_])
        sounds = [
            (own[each.id], each.findings) for each in known if each.engine_version == ENGINE_VERSION
        ]
        await parts.vectors.put_many(owner_id, sounds)
