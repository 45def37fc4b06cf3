"""From the parts into a backup, while the server runs."""

import gzip
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from samplemind import __version__
from samplemind.backups.copying import Damaged, Sound, Stage, copy, each, silent, sounds
from samplemind.backups.snapshot import FILES, Backup, Collection, Manifest, blob, of_file
from samplemind.domain.ids import now
from samplemind.parts import Parts


async def back_up(parts: Parts, place: str, stage: Stage = silent) -> tuple[str, Manifest]:
    """Adds a snapshot to the backup at `place`; its name and what it holds.

    Rows before bytes: a row's bytes were there before it, and what is deleted meanwhile is left
    out. What breaks off leaves no snapshot, and the bytes that were copied serve the next.
    """
    backup, made_at = Backup(place, parts.settings.blob_timeout_seconds), now()
    # Before the documents: what is migrated meanwhile is migrated once more when it is restored.
    schema = await parts.store.schema.version()
    name = made_at.strftime("%Y%m%dT%H%M%S%fZ")
    with tempfile.TemporaryDirectory(prefix="samplemind-") as folder:
        collections = {}
        names = await parts.store.raw.collections()
        files = Path(folder) / FILES
        with stage("Documents", len(names), 0) as step:
            for collection in names:
                path = Path(folder) / collection
                collections[collection] = await _dump(parts, collection, path)
                await backup.add(name, collection, path)
                if path != files:
                    path.unlink()
                step.advance(1)
        sound = await _copy(parts, backup, files, stage) if files.exists() else _Copied()
        manifest = Manifest(
            made_at=made_at,
            version=__version__,
            schema=schema,
            collections=collections,
            files=sound.files,
            size_bytes=sound.size_bytes,
            copied=sound.new,
            lost=tuple(sorted(sound.lost)),
            deleted=tuple(sorted(sound.deleted)),
        )
        await backup.finish(name, manifest)
    return name, manifest


async def _dump(parts: Parts, collection: str, path: Path) -> Collection:
    count = 0
    with gzip.open(path, "wb", compresslevel=6) as file:
        async for document in parts.store.raw.read(collection):
            file.write(document.raw)
            count += 1
    return of_file(path, count)


@dataclass(slots=True)
class _Copied:
    """`new` says how many of `files` were not there already; the others are keys."""

    files: int = 0
    size_bytes: int = 0
    new: int = 0
    lost: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


async def _copy(parts: Parts, backup: Backup, files: Path, stage: Stage) -> _Copied:
    copied, missing = _Copied(), []

    async def take(sound: Sound) -> None:
        try:
            is_new = await copy(parts.blobs, sound.key, backup.blobs, blob(sound.key), sound)
        except FileNotFoundError:
            missing.append(sound)
        except Damaged:
            copied.lost.append(sound.key)
        else:
            copied.files += 1
            copied.size_bytes += sound.size_bytes
            copied.new += is_new

    with stage("Sounds", *_counted(files)) as step:
        await each(sounds(files), take, step)
    for sound in missing:
        # Its row goes right after its bytes.
        owner_id, _, _ = sound.key.partition("/")
        row = await parts.store.audio_files.by_content(owner_id, sound.sha256)
        (copied.lost if row else copied.deleted).append(sound.key)
    return copied


def _counted(files: Path) -> tuple[int, int]:
    """How many sounds there are, and their bytes."""
    count = size = 0
    for sound in sounds(files):
        count, size = count + 1, size + sound.size_bytes
    return count, size
