"""Audio bytes: a local folder or an S3-compatible bucket, through obstore."""

import contextlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

# The smallest part of an upload that S3 takes.
_PART_BYTES = 5 * 1024 * 1024


class Blobs:
    """Content-addressed: a blob's key is its owner and the hash of its bytes, so writing one
    twice is harmless."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._store: ObjectStore
        if address.scheme == "file":
            folder = Path(unquote(address.path))
            folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(folder)
        else:
            self._store = from_url(url)

    async def put(self, owner_id: str, sha256: str, path: Path) -> None:
        """Stores the file at `path`, in parts of 5 MiB, two at a time in memory."""
        key = _key(owner_id, sha256)
        await obstore.put_async(self._store, key, path, chunk_size=_PART_BYTES, max_concurrency=2)

    async def fetch(self, owner_id: str, sha256: str, path: Path) -> None:
        """Writes the bytes to `path`. Raises FileNotFoundError where there are none."""
        result = await obstore.get_async(self._store, _key(owner_id, sha256))
        with path.open("wb") as file:
            async for chunk in result.stream():
                file.write(chunk)

    async def remove(self, owner_id: str, sha256: str) -> None:
        """Removes the bytes, where there are any."""
        # A folder says that there are none, a bucket does not.
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, _key(owner_id, sha256))

    async def check(self) -> None:
        """Raises where the store does not answer."""
        await anext(aiter(obstore.list(self._store, prefix="-", chunk_size=1)), None)


def _key(owner_id: str, sha256: str) -> str:
    return f"{owner_id}/{sha256[:2]}/{sha256}"
