"""Audio bytes: a local folder or an S3-compatible bucket, through obstore."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

if TYPE_CHECKING:
    from obstore import Attributes, SignCapableStore

# The smallest part of an upload that S3 takes.
_PART_BYTES = 5 * 1024 * 1024


class Blobs:
    """Bytes by key. A key begins with its owner or says whose it is, so that nobody meets
    another's bytes."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._store: ObjectStore
        self._folder: Path | None = None
        if address.scheme == "file":
            self._folder = Path(unquote(address.path))
            self._folder.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(self._folder)
        else:
            self._store = from_url(url)

    async def put(
        self,
        key: str,
        content: Path | BinaryIO | AsyncIterator[bytes],
        media_type: str | None = None,
    ) -> None:
        """Stores a file, or what arrives: all of it or nothing. In parts of 5 MiB, two at a time
        in memory. A bucket serves it as `media_type`."""
        attributes: Attributes = {}
        if media_type and not self._folder:
            attributes["Content-Type"] = media_type
        await obstore.put_async(
            self._store,
            key,
            content,
            attributes=attributes or None,
            chunk_size=_PART_BYTES,
            max_concurrency=2,
        )

    async def fetch(self, key: str, path: Path) -> None:
        """Writes the bytes to `path`. Raises FileNotFoundError where there are none."""
        result = await obstore.get_async(self._store, key)
        with path.open("wb") as file:
            async for chunk in result.stream():
                file.write(chunk)

    @contextlib.asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[Path]:
        """A file with the bytes, to read from: the stored one itself, or a copy for as long.

        Raises FileNotFoundError where there are none.
        """
        if path := self.path(key):
            if not path.exists():
                raise FileNotFoundError(key)
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="samplemind-") as folder:
            path = Path(folder) / "blob"
            await self.fetch(key, path)
            yield path

    def path(self, key: str) -> Path | None:
        """Where the bytes lie in a folder, if there are any; None in a bucket."""
        return self._folder and self._folder / key

    async def size(self, key: str) -> int | None:
        """In bytes; None where there is nothing."""
        try:
            return (await obstore.head_async(self._store, key))["size"]
        except FileNotFoundError:
            return None

    async def written_at(self, key: str) -> datetime | None:
        """None where there is nothing."""
        try:
            return (await obstore.head_async(self._store, key))["last_modified"]
        except FileNotFoundError:
            return None

    @property
    def signs(self) -> bool:
        """Whether it serves and takes bytes by URLs of its own: a bucket does."""
        return self._folder is None

    async def signed_urls(
        self, method: Literal["GET", "PUT"], keys: Sequence[str], lasting: timedelta
    ) -> list[str]:
        """URLs of the bucket's own, which need no other authorisation; in the order of `keys`."""
        store = cast("SignCapableStore", self._store)
        return list(await obstore.sign_async(store, method, keys, lasting))

    async def remove(self, key: str) -> None:
        """Removes the bytes, where there are any."""
        # A folder says that there are none, a bucket does not.
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def remove_all(self, prefix: str) -> None:
        """Removes everything whose key begins with `prefix` and a slash."""
        async for found in obstore.list(self._store, prefix=prefix):
            if keys := [each["path"] for each in found]:
                await obstore.delete_async(self._store, keys)

    async def keys(self, prefix: str) -> AsyncIterator[tuple[str, datetime]]:
        """All keys that begin with `prefix` and a slash, and when their bytes were written."""
        async for found in obstore.list(self._store, prefix=prefix):
            for each in found:
                yield each["path"], each["last_modified"]

    async def prefixes(self) -> list[str]:
        """What keys begin with, up to the first slash."""
        return list((await obstore.list_with_delimiter_async(self._store))["common_prefixes"])

    async def check(self) -> None:
        """Raises where the store does not answer."""
        await anext(aiter(obstore.list(self._store, prefix="-", chunk_size=1)), None)
