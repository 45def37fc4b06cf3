"""What a backup looks like: a folder, or a bucket, that holds any number of snapshots.

    snapshots/20261125T041500Z/audio_files.bson.gz    a file for each collection: BSON, one after
                                                      the other, compressed
    snapshots/20261125T041500Z/manifest.json          what belongs to it, written last: without it
                                                      there is no snapshot
    blobs/<owner>/<ab>/<sha256>                       audio bytes, once for all snapshots

No vectors: they are made again of what is stored of the analyses.
"""

import hashlib
import io
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from samplemind.blobs import Blobs
from samplemind.refusal import CannotStart

FORMAT = 1

FILES = "audio_files"
"""The collection whose rows have bytes."""

_MANIFEST = "manifest.json"


class BackupError(CannotStart):
    """Why nothing is backed up or restored; a sentence for people that says what to do."""


@dataclass(frozen=True, slots=True)
class Collection:
    """`size_bytes` and `sha256` are of its file, compressed as it is."""

    documents: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`copied` says how many of `files` were not in the backup already. The bytes of what is `lost`
    were not there, or not those of their hash; what is `deleted` was so while this was made. Rows
    of both are left out when it is restored."""

    made_at: datetime
    version: str
    schema: int
    collections: dict[str, Collection]
    files: int
    size_bytes: int
    copied: int
    lost: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    format: int = field(default=FORMAT, kw_only=True)

    @property
    def left_out(self) -> set[str]:
        return {*self.lost, *self.deleted}

    def dump(self) -> bytes:
        said = {**asdict(self), "made_at": self.made_at.isoformat()}
        return json.dumps({**said, "digest": _digest(said)}, indent=2).encode()

    @classmethod
    def load(cls, content: bytes) -> Self:
        """Raises BackupError for what is no manifest as it was written."""
        try:
            said = json.loads(content)
            digest = said.pop("digest")
            if said["format"] > FORMAT:
                raise BackupError("It was made by a later SampleMind: upgrade this one first.")
            if _digest(said) != digest:
                raise ValueError(digest)
            collections = {name: Collection(**each) for name, each in said["collections"].items()}
            said |= {
                "collections": collections,
                "made_at": datetime.fromisoformat(said["made_at"]),
                "lost": tuple(said["lost"]),
                "deleted": tuple(said["deleted"]),
            }
            return cls(**said)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BackupError("Its manifest is damaged: restore another snapshot.") from error


class Backup:
    """The folder or bucket at `place`: a path, or a URL as of SAMPLEMIND_BLOB_URL."""

    def __init__(self, place: str, seconds: float) -> None:
        url = place if "://" in place else Path(place).resolve().as_uri()
        self.blobs = Blobs(url, seconds)

    async def snapshots(self) -> list[str]:
        """The names of those that are whole, the oldest first."""
        keys = [key.split("/") async for key, _ in self.blobs.keys("snapshots")]
        return sorted(key[1] for key in keys if len(key) == 3 and key[2] == _MANIFEST)

    async def manifest(self, snapshot: str | None) -> tuple[str, Manifest]:
        """That of a snapshot, or of the newest, and its name. Raises BackupError."""
        known = await self.snapshots()
        if not known:
            raise BackupError("There is no snapshot: is this where the backup is?")
        name = snapshot or known[-1]
        if name not in known:
            raise BackupError(f"There is no snapshot {name}; there are {', '.join(known)}.")
        content = b"".join([part async for part in self.blobs.stream(_key(name, _MANIFEST))])
        return name, Manifest.load(content)

    async def add(self, snapshot: str, collection: str, path: Path) -> None:
        await self.blobs.put(_key(snapshot, f"{collection}.bson.gz"), path)

    async def finish(self, snapshot: str, manifest: Manifest) -> None:
        """From now on there is this snapshot."""
        await self.blobs.put(_key(snapshot, _MANIFEST), io.BytesIO(manifest.dump()))

    async def forget(self, snapshot: str) -> None:
        """From now on there is no such snapshot; its sounds stay."""
        await self.blobs.remove(_key(snapshot, _MANIFEST))
        await self.blobs.remove_all(f"snapshots/{snapshot}")

    async def fetch(self, snapshot: str, name: str, collection: Collection, path: Path) -> None:
        """The file of a collection. Raises BackupError where it is not what was written."""
        try:
            await self.blobs.fetch(_key(snapshot, f"{name}.bson.gz"), path)
        except FileNotFoundError:
            raise BackupError(f"{name} is missing: restore another snapshot.") from None
        if of_file(path, collection.documents) != collection:
            raise BackupError(f"{name} is damaged: restore another snapshot.")


def blob(key: str) -> str:
    """Where audio bytes lie, by where they lie in the server's store."""
    return f"blobs/{key}"


def of_file(path: Path, documents: int) -> Collection:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Collection(documents, path.stat().st_size, digest.hexdigest())


def _key(snapshot: str, name: str) -> str:
    return f"snapshots/{snapshot}/{name}"


def _digest(said: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
