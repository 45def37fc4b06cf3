"""From the parts into a backup, while the server runs."""

import gzip
import tempfile
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
        found = list(_counted(files)) if files.exists() else [0, 0]
        copied, lost = await _copy(parts, backup, files, stage, *found)
        manifest = Manifest(
            made_at=made_at,
            version=__version__,
            schema=await parts.store.schema.version(),
            collections=collections,
            files=found[0] - len(lost),
            size_bytes=found[1],
            copied=copied,
            lost=tuple(sorted(lost)),
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


def _counted(files: Path) -> tuple[int, int]:
    """How many sounds there are, and their bytes."""
    count = size = 0
    for sound in sounds(files):
        count, size = count + 1, size + sound.size_bytes
    return count, size


async def _copy(
    parts: Parts, backup: Backup, files: Path, stage: Stage, count: int, size: int
) -> tuple[int, list[str]]:
    """How many were copied, and what is not there or is damaged."""
    copied, lost = 0, []

    async def take(sound: Sound) -> None:
        nonlocal copied
        try:
            is_new = await copy(parts.blobs, sound.key, backup.blobs, blob(sound.key), sound)
        except (FileNotFoundError, Damaged):
            lost.append(sound.key)
        else:
            copied += is_new

    if count:
        with stage("Sounds", count, size) as step:
            await each(sounds(files), take, step)
    return copied, lost
