"""A folder's way into the library: hash, compare, upload, have analysed, watch."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from samplemind.cli.client import Client, Refused, payload
from samplemind.cli.progress import Stage
from samplemind.domain.analysis import AnalysisLevel

T = TypeVar("T")

# The most that the server takes at once: files in a page, ids in a batch job.
_PAGE = 200
_BATCH = 10_000

_LIBRARY = """
query Library($first: Int!, $after: String) {
  audioFiles(first: $first, after: $after) {
    edges { node { id sha256 tags analysis { level } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_TAG = """
mutation Tag($input: UpdateAudioFileInput!) {
  updateAudioFile(input: $input) { errors { code message } }
}
"""
_CREATE_BATCH = """
mutation CreateBatch($input: CreateBatchJobInput!) {
  createBatchJob(input: $input) { batchJob { id } errors { code message } }
}
"""
_FAILED_ITEMS = """
query FailedItems($id: ID!, $first: Int!, $after: String) {
  node(id: $id) {
    ... on BatchJob {
      items(status: FAILED, first: $first, after: $after) {
        edges { node { audioFile { id } failure { code message } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that was refused, or whose analysis failed. No path: it is no more in the library."""

    path: Path | None
    code: str
    message: str


@dataclass(slots=True)
class Report:
    uploaded: int = 0
    already_there: int = 0
    analyzed: int = 0
    cancelled: int = 0
    refused: list[Trouble] = field(default_factory=list)
    failed: list[Trouble] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_whole(self) -> bool:
        return not (self.refused or self.failed or self.cancelled)


@dataclass(frozen=True, slots=True)
class _Stored:
    """A file of the library, as far as an import needs to know it."""

    id: str
    tags: tuple[str, ...] = ()
    level: AnalysisLevel | None = None


class Importer:
    """One import. `level` None uploads only. Its report grows while it runs."""

    def __init__(
        self, client: Client, jobs: int, tags: Sequence[str], level: AnalysisLevel | None
    ) -> None:
        self.report = Report()
        self._client = client
        self._jobs = jobs
        self._tags = tuple(dict.fromkeys(" ".join(tag.split()) for tag in tags))
        self._level = level
        self._paths: dict[str, Path] = {}
        """By id, what is in the library."""

    async def run(self, sounds: Sequence[Path]) -> None:
        """Raises NoServer, and Refused where the server refuses more than one file."""
        started = time.perf_counter()
        library = await self._library()
        copies = await self._hash(sounds)
        new = [same for sha256, same in copies.items() if sha256 not in library]
        there = [(library[sha], same) for sha, same in copies.items() if sha in library]
        self.report.already_there = sum(len(same) for _, same in there)
        self._paths |= {stored.id: same[0] for stored, same in there}
        await self._tag(stored for stored, _ in there)
        await self._upload(new)
        if self._level:
            known = {stored.id: stored.level for stored, _ in there}
            await self._analyze([id_ for id_ in self._paths if not self._answers(known.get(id_))])
        self.report.seconds = time.perf_counter() - started

    async def _library(self) -> dict[str, _Stored]:
        """What is there already, by hash: the API has no filter for that, so all of it."""
        found: dict[str, _Stored] = {}
        after: str | None = None
        while True:
            page = (await self._client.execute(_LIBRARY, first=_PAGE, after=after))["audioFiles"]
            for edge in page["edges"]:
                node = edge["node"]
                level = node["analysis"] and AnalysisLevel(node["analysis"]["level"])
                found[node["sha256"]] = _Stored(node["id"], tuple(node["tags"]), level)
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    async def _hash(self, sounds: Sequence[Path]) -> dict[str, list[Path]]:
        """The paths by what they hold: the same bytes may stand in many places."""
        hashes: dict[Path, str] = {}
        with Stage("Reading", len(sounds)) as stage:

            async def hash_one(path: Path) -> None:
                try:
                    hashes[path] = await asyncio.to_thread(_sha256, path)
                except OSError as error:
                    self._refuse([path], "UNREADABLE", error.strerror or str(error))
                stage.advance(1)

            await _each(sounds, hash_one, self._jobs)
        copies: dict[str, list[Path]] = {}
        for path in sounds:
            if path in hashes:
                copies.setdefault(hashes[path], []).append(path)
        return copies

    async def _tag(self, there: Iterable[_Stored]) -> None:
        """Gives the files that are there the tags that they lack, as an upload would."""
        wanting = [stored for stored in there if not set(self._tags) <= set(stored.tags)]

        async def tag(stored: _Stored) -> None:
            change = {"id": stored.id, "tags": [*stored.tags, *self._tags]}
            try:
                payload((await self._client.execute(_TAG, input=change))["updateAudioFile"])
            except Refused as refused:
                self._refuse([self._paths[stored.id]], refused.code, refused.message)

        await _each(wanting, tag, self._jobs)

    async def _upload(self, new: Sequence[list[Path]]) -> None:
        if not new:
            return
        with Stage("Uploading", len(new), sum(_size(same[0]) for same in new)) as stage:

            async def upload(same: list[Path]) -> None:
                refused = 0
                try:
                    id_ = await self._client.upload(
                        same[0], self._tags, lambda sent: stage.advance(size=sent)
                    )
                except Refused as error:
                    refused = 1
                    self._refuse(same, error.code, error.message)
                except OSError as error:
                    refused = 1
                    self._refuse(same, "UNREADABLE", error.strerror or str(error))
                else:
                    self._paths[id_] = same[0]
                    self.report.uploaded += 1
                    self.report.already_there += len(same) - 1
                stage.advance(1, failed=refused)

            await _each(new, upload, self._jobs)

    async def _analyze(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        parts = [ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH)]
        # All are asked for before the first is watched: an interrupted import leaves them all
        # to the server.
        batches = [await self._create_batch(part) for part in parts]
        with Stage("Analysing", len(ids)) as stage:
            for batch_id in batches:
                await self._watch(batch_id, stage)

    async def _create_batch(self, ids: Sequence[str]) -> str:
        wanted = {"audioFileIds": ids, "level": self._level, "idempotencyKey": uuid4().hex}
        answer = await self._client.execute(_CREATE_BATCH, input=wanted)
        return payload(answer["createBatchJob"])["batchJob"]["id"]

    async def _watch(self, batch_id: str, stage: Stage) -> None:
        completed = failed = total = 0
        async for batch in self._client.watch(batch_id):
            more_failed = batch["failed"] - failed
            more = batch["completed"] - completed + more_failed
            completed, failed, total = batch["completed"], batch["failed"], batch["total"]
            stage.advance(more, failed=more_failed)
        self.report.analyzed += completed
        self.report.cancelled += total - completed - failed
        if failed:
            await self._note_failures(batch_id)

    async def _note_failures(self, batch_id: str) -> None:
        after: str | None = None
        while True:
            answer = await self._client.execute(
                _FAILED_ITEMS, id=batch_id, first=_PAGE, after=after
            )
            items = answer["node"]["items"]
            for edge in items["edges"]:
                item = edge["node"]
                path = self._paths.get(item["audioFile"]["id"]) if item["audioFile"] else None
                why = item["failure"]
                self.report.failed.append(Trouble(path, why["code"], why["message"]))
            if not items["pageInfo"]["hasNextPage"]:
                return
            after = items["pageInfo"]["endCursor"]

    def _answers(self, level: AnalysisLevel | None) -> bool:
        """Whether an analysis of `level` answers what is asked now."""
        return bool(level and self._level and level.includes(self._level))

    def _refuse(self, paths: Iterable[Path], code: str, message: str) -> None:
        self.report.refused += [Trouble(path, code, message) for path in paths]


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[None]], jobs: int) -> None:
    """Does `work` on each item, `jobs` at a time. The first error ends all."""
    waiting = iter(items)

    async def take() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                group.create_task(take())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _size(path: Path) -> int:
    """0 where it is gone by now; its upload says so."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
