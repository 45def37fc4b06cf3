"""What a backup need not keep any more."""

import contextlib
import sqlite3
import tempfile
from pathlib import Path

from samplemind.backups.copying import sounds
from samplemind.backups.snapshot import FILES, Backup, blob
from samplemind.parts import Parts


async def prune(parts: Parts, place: str, keep: int) -> int:
    """Removes all snapshots but the newest `keep`, and the bytes that none of those names; how many
    sounds that were. Nobody else may write to the backup meanwhile."""
    backup = Backup(place, parts.settings.blob_timeout_seconds)
    names = await backup.snapshots()
    for name in names[:-keep]:
        await backup.forget(name)
    with (
        tempfile.TemporaryDirectory(prefix="samplemind-") as folder,
        # On disk: there may be more than memory holds.
        contextlib.closing(sqlite3.connect(Path(folder) / "kept")) as kept,
    ):
        kept.execute("CREATE TABLE kept (key TEXT PRIMARY KEY) WITHOUT ROWID")
        for name in names[-keep:]:
            await _note(backup, name, Path(folder) / FILES, kept)
        return await _sweep(backup, kept)


async def _note(backup: Backup, name: str, path: Path, kept: sqlite3.Connection) -> None:
    _, manifest = await backup.manifest(name)
    if FILES in manifest.collections:
        await backup.fetch(name, FILES, manifest.collections[FILES], path)
        keys = ((blob(sound.key),) for sound in sounds(path))
        kept.executemany("INSERT OR IGNORE INTO kept VALUES (?)", keys)


async def _sweep(backup: Backup, kept: sqlite3.Connection) -> int:
    removed = 0
    async for key, _ in backup.blobs.keys("blobs"):
        if not kept.execute("SELECT 1 FROM kept WHERE key = ?", (key,)).fetchone():
            await backup.blobs.remove(key)
            removed += 1
    return removed
