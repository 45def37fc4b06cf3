"""Nearest neighbours of sounds: a Chroma server, cosine distance.

Each owner has a collection of its own, so a search cannot meet another's sounds, and a search
without a filter needs no filter at all. The collection's name carries the engine's version:
vectors of different versions never mix.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import numpy as np

from samplemind import tracing
from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import Findings
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import PartUnavailable
from samplemind.domain.library import AudioFileFilter, Range, words_of
from samplemind.outages import Pause

if TYPE_CHECKING:
    from chromadb.api import AsyncClientAPI
    from chromadb.api.models.AsyncCollection import AsyncCollection

Where = dict[str, Any]

_PAGE = 5_000

# What was written since the graph was last stored, Chroma reads again at each write: of 1,000, as
# it would keep by itself, that is most of what a write costs.
_UNSTORED = 100

# Of so many sounds the vectors are read and compared here: Chroma would look for them by a walk
# through its graph, which is the longer the fewer they are.
_COMPARED = 500

# A search takes milliseconds; the first also imports the client.
_PATIENCE_SECONDS = 8
_PAUSE_SECONDS = 10


def _name(owner_id: str, version: str) -> str:
    return f"sounds-{version}-{owner_id}"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """`cosine` is -1 to 1; neighbours are ordered by it. `score` is what is told of it."""

    audio_file_id: str
    cosine: float

    @property
    def score(self) -> float:
        """1 is the same sound, 0 is unrelated or opposite."""
        return min(1.0, max(0.0, self.cosine))


def _naming(audio_file: AudioFile) -> tuple[Where, str]:
    """Metadata and document for the filename and the tags."""
    words = words_of(audio_file.filename, *audio_file.tags)
    metadata: Where = {"tags": list(audio_file.tags) or None}
    return metadata, "".join(f" {word}" for word in words)


def _facets(audio_file: AudioFile, findings: Findings) -> Where:
    return {
        "duration": audio_file.facts.duration_seconds,
        "uploaded": audio_file.uploaded_at.timestamp(),
        "kind": findings.kind and findings.kind.value,
        "tempo": findings.tempo and findings.tempo.bpm,
        "key": findings.key and f"{findings.key.tonic} {findings.key.mode.value.lower()}",
        "labels": [label.name for label in findings.labels] or None,
        "loudness": findings.loudness and findings.loudness.integrated_lufs,
    }


def _present(metadata: Where) -> Where:
    return {name: value for name, value in metadata.items() if value is not None}


def _between(field: str, bounds: Range) -> list[Where]:
    ends = (("$gte", bounds.min), ("$lte", bounds.max))
    return [{field: {operator: end}} for operator, end in ends if end is not None]


def _any_of(conditions: list[Where]) -> Where:
    return conditions[0] if len(conditions) == 1 else {"$or": conditions}


def _all_of(conditions: list[Where]) -> Where | None:
    return (
        None if not conditions else conditions[0] if len(conditions) == 1 else {"$and": conditions}
    )


def _matches_nothing(filter_: AudioFileFilter) -> bool:
    """An empty "any of", which Chroma has no way to say; or not analysed, so without a vector."""
    any_of = (filter_.kinds, filter_.labels, filter_.keys)
    return filter_.analyzed is False or any(wanted == () for wanted in any_of)


def _conditions(filter_: AudioFileFilter) -> tuple[Where | None, Where | None]:
    """The filter as Chroma's `where` and `where_document`."""
    where: list[Where] = [{"tags": {"$contains": tag}} for tag in filter_.tags or ()]
    if filter_.kinds:
        where.append({"kind": {"$in": [kind.value for kind in filter_.kinds]}})
    if filter_.labels:
        where.append(_any_of([{"labels": {"$contains": label}} for label in filter_.labels]))
    where += [{"labels": {"$not_contains": label}} for label in filter_.without_labels or ()]
    if filter_.keys:
        where.append({"key": {"$in": [str(key) for key in filter_.keys]}})
    if filter_.tempo:
        where += _between("tempo", filter_.tempo)
    if filter_.duration_seconds:
        where += _between("duration", filter_.duration_seconds)
    if filter_.loudness:
        where += _between("loudness", filter_.loudness)
    if times := filter_.uploaded_at:
        start, end = (time and time.timestamp() for time in (times.start, times.end))
        where += _between("uploaded", Range(start, end))
    words = [{"$contains": f" {word}"} for word in words_of(filter_.search or "")]
    return _all_of(where), _all_of(words)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """(n, d): each of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _ranked(ids: Sequence[str], distances: Sequence[float]) -> list[Neighbour]:
    # Chroma computes in single precision: more digits would be noise.
    neighbours = [
        Neighbour(id_, round(1.0 - gap, 6)) for id_, gap in zip(ids, distances, strict=True)
    ]
    return sorted(neighbours, key=lambda n: (-n.cosine, n.audio_file_id))


async def _nearest(
    collection: "AsyncCollection", embeddings: Sequence[Sequence[float]], count: int, **among: Any
) -> list[list[Neighbour]]:
    found = await collection.query(
        query_embeddings=[list(embedding) for embedding in embeddings],
        n_results=count,
        include=["distances"],
        **among,
    )
    distances = found["distances"] or []
    return [_ranked(*each) for each in zip(found["ids"], distances, strict=True)]


class Vectors:
    """The vectors of all sounds. Raises PartUnavailable where Chroma does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        address = urlsplit(url)
        self._ssl = address.scheme == "https"
        self._host = address.hostname or "127.0.0.1"
        self._port = address.port or (443 if self._ssl else 8000)
        self._client: AsyncClientAPI | None = None
        self._collections: dict[str, AsyncCollection] = {}
        self._connecting = asyncio.Lock()
        self._pause = Pause(_PAUSE_SECONDS)

    async def put(self, audio_file: AudioFile, findings: Findings) -> None:
        """Stores the vector, where the level had one, and what a search may filter by."""
        await self.put_many(audio_file.owner_id, [(audio_file, findings)])

    async def put_many(self, owner_id: str, sounds: Sequence[tuple[AudioFile, Findings]]) -> None:
        """As `put`, for up to 5,000 sounds of one owner by one request."""
        sounds = [each for each in sounds if each[1].embedding is not None]
        if not sounds:
            return
        named = [_naming(audio_file) for audio_file, _ in sounds]
        async with self._asking("put", _PATIENCE_SECONDS * (8 if len(sounds) > 1 else 1)):
            collection = await self._collection(owner_id)
            await collection.upsert(
                ids=[audio_file.id for audio_file, _ in sounds],
                embeddings=[list(findings.embedding or ()) for _, findings in sounds],
                metadatas=[
                    _present(_facets(*sound) | naming)
                    for sound, (naming, _) in zip(sounds, named, strict=True)
                ],
                documents=[document for _, document in named],
            )

    async def rename(self, audio_file: AudioFile) -> None:
        """Stores the filename and the tags, where the file has a vector."""
        metadata, document = _naming(audio_file)
        async with self._asking("rename"):
            collection = await self._collection(audio_file.owner_id)
            stored = await collection.get(ids=[audio_file.id], include=["embeddings"])
            if stored["ids"]:
                # The vector too: without it, chromadb would make one of the document.
                await collection.update(
                    ids=[audio_file.id],
                    embeddings=stored["embeddings"],
                    metadatas=[metadata],
                    documents=[document],
                )

    async def remove(self, owner_id: str, audio_file_id: str) -> None:
        async with self._asking("remove"):
            collection = await self._collection(owner_id)
            await collection.delete(ids=[audio_file_id])

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all vectors of an owner, of every version of the engine."""
        for version in await self.versions(owner_id):
            await self.forget_version(owner_id, version)

    async def versions(self, owner_id: str) -> list[str]:
        """The versions of the engine that an owner has vectors of."""
        async with self._asking("versions"):
            client = await self._connected()
            names = [collection.name for collection in await client.list_collections()]
        parts = [name.split("-", 2) for name in names]
        return [part[1] for part in parts if part[0] == "sounds" and part[2] == owner_id]

    async def forget_version(self, owner_id: str, version: str) -> None:
        """Removes an owner's vectors of a version of the engine."""
        self._collections.pop(owner_id, None)
        async with self._asking("forget_owner"):
            client = await self._connected()
            await client.delete_collection(_name(owner_id, version))

    async def ids(self, owner_id: str) -> list[str]:
        """The files that have a vector of this version of the engine."""
        found: list[str] = []
        while True:
            async with self._asking("ids"):
                collection = await self._collection(owner_id)
                page = await collection.get(limit=_PAGE, offset=len(found), include=[])
            found += page["ids"]
            if len(page["ids"]) < _PAGE:
                return found

    async def embeddings(
        self, owner_id: str, audio_file_ids: Sequence[str]
    ) -> list[list[float] | None]:
        """In the order of the ids; None where this engine has made no vector of the file."""
        async with self._asking("embeddings"):
            collection = await self._collection(owner_id)
            found = await collection.get(ids=list(set(audio_file_ids)), include=["embeddings"])
        vectors = found["embeddings"]
        known = {
            id_: np.asarray(vector).tolist()
            for id_, vector in zip(found["ids"], () if vectors is None else vectors, strict=True)
        }
        return [known.get(id_) for id_ in audio_file_ids]

    async def nearest(
        self,
        owner_id: str,
        embedding: Sequence[float],
        count: int,
        filter_: AudioFileFilter | None = None,
    ) -> list[Neighbour]:
        """The `count` nearest sounds that match the filter, best first, ties by id."""
        [found] = await self.nearest_to_each(owner_id, [embedding], count, filter_)
        return found

    async def nearest_to_each(
        self,
        owner_id: str,
        embeddings: Sequence[Sequence[float]],
        count: int,
        filter_: AudioFileFilter | None = None,
    ) -> list[list[Neighbour]]:
        """As `nearest`, for each of the embeddings, by one request."""
        filter_ = filter_ or AudioFileFilter()
        if _matches_nothing(filter_):
            return [[] for _ in embeddings]
        where, where_document = _conditions(filter_)
        async with self._asking("nearest_to_each"):
            collection = await self._collection(owner_id)
            return await _nearest(
                collection, embeddings, count, where=where, where_document=where_document
            )

    async def nearest_among(
        self,
        owner_id: str,
        embeddings: Sequence[Sequence[float]],
        count: int,
        audio_file_ids: Sequence[str],
    ) -> list[list[Neighbour]]:
        """As `nearest_to_each`, of these sounds alone, as far as they have a vector."""
        if not audio_file_ids:
            return [[] for _ in embeddings]
        if len(audio_file_ids) <= _COMPARED:
            return await self._compared(owner_id, embeddings, count, audio_file_ids)
        async with self._asking("nearest_among"):
            collection = await self._collection(owner_id)
            # It refuses ids that it does not have.
            known = await collection.get(ids=list(audio_file_ids), include=[])
            if not known["ids"]:
                return [[] for _ in embeddings]
            return await _nearest(collection, embeddings, count, ids=known["ids"])

    async def _compared(
        self,
        owner_id: str,
        embeddings: Sequence[Sequence[float]],
        count: int,
        audio_file_ids: Sequence[str],
    ) -> list[list[Neighbour]]:
        vectors = await self.embeddings(owner_id, audio_file_ids)
        ids = [id_ for id_, vector in zip(audio_file_ids, vectors, strict=True) if vector]
        if not ids:
            return [[] for _ in embeddings]
        stored = _unit(np.array([vector for vector in vectors if vector], np.float32))
        gaps = 1.0 - _unit(np.array(embeddings, np.float32)) @ stored.T
        return [_ranked(ids, each.tolist())[:count] for each in gaps]

    async def version(self) -> str:
        """The server's version; raises where it does not answer.

        Asked without chromadb's client, so that a health check need not wait for its import.
        """
        async with self._asking("version"), httpx.AsyncClient(timeout=3) as client:
            answer = await client.get(f"{self._url}/api/v2/version")
            return answer.raise_for_status().json()

    async def warm_up(self) -> None:
        """Pays for the client's import before somebody waits for it."""
        with contextlib.suppress(PartUnavailable):
            async with self._asking("warm_up"):
                await self._connected()

    @contextlib.asynccontextmanager
    async def _asking(self, what: str, seconds: float = _PATIENCE_SECONDS) -> AsyncIterator[None]:
        """Turns "Chroma does not answer" into the coded error. The client itself waits for ever."""
        message = "Similarity is not available right now; try again."
        if self._pause.is_on:
            raise PartUnavailable(message)
        try:
            with tracing.span(f"vectors {what}"):
                async with asyncio.timeout(seconds):
                    yield
        except TimeoutError as error:
            self._pause.begin()
            raise PartUnavailable(message) from error
        except (httpx.TransportError, OSError) as error:
            raise PartUnavailable(message) from error
        except ValueError as error:
            # What chromadb raises while it makes a client.
            if "could not connect" not in str(error).lower():
                raise
            raise PartUnavailable(message) from error

    async def _connected(self) -> "AsyncClientAPI":
        async with self._connecting:
            if self._client is None:
                # The import takes seconds on a cold machine: only where used, off the loop.
                chromadb = await asyncio.to_thread(importlib.import_module, "chromadb")
                client: AsyncClientAPI = await chromadb.AsyncHttpClient(
                    host=self._host,
                    port=self._port,
                    ssl=self._ssl,
                    settings=chromadb.Settings(anonymized_telemetry=False),
                )
                self._client = client
            return self._client

    async def _collection(self, owner_id: str) -> "AsyncCollection":
        if owner_id not in self._collections:
            client = await self._connected()
            self._collections[owner_id] = await client.get_or_create_collection(
                _name(owner_id, ENGINE_VERSION),
                embedding_function=None,
                configuration={"hnsw": {"space": "cosine", "sync_threshold": _UNSTORED}},
            )
        return self._collections[owner_id]
