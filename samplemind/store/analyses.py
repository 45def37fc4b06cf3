"""Runs of the analysis.

The field `state` holds the id and the status in one indexed string, so that one conditional write
on it decides who may move an analysis on. Where those stand that are not done with, `places` knows.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from bson.binary import Binary
from cachetools import LRUCache
from pydantic import TypeAdapter

from samplemind.domain.ai import AiPart
from samplemind.domain.analysis import Analysis, AnalysisStatus, Failure, Findings
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.ids import now
from samplemind.domain.paging import Page, Window
from samplemind.store.database import Database, Document, scoped, within
from samplemind.store.pages import read_page, read_pages
from samplemind.store.places import STAGES, Stage, placed

_analysis = TypeAdapter(Analysis)
_findings = TypeAdapter(Findings)
_ai_part = TypeAdapter(AiPart)

# About 10 KB each, more for a track.
_REMEMBERED = 1_000

# They are large, and few ask for them.
_VECTORS = ("embedding", "fingerprint")
_WITHOUT_VECTORS = dict.fromkeys(_VECTORS, 0)


def _dump(analysis: Analysis) -> Document:
    document = _analysis.dump_python(analysis)
    id_, owner = document.pop("id"), analysis.owner_id
    in_batch = (
        {"by_batch": scoped(owner, analysis.batch_id, _position(analysis.position))}
        if analysis.batch_id and analysis.position is not None
        else {}
    )
    return {
        "_id": id_,
        **document,
        **_result(analysis.findings),
        **in_batch,
        "key": scoped(owner, id_),
        "state": _state(id_, analysis.status),
        "by_file": scoped(owner, analysis.audio_file_id, id_),
        "ai": analysis.ai and _ai_part.dump_python(analysis.ai, mode="json"),
    }


def _ready(id_: str, ai: AiPart) -> Document:
    """The AI's part when the rest is done. It is moved on as the analysis is, by a string of its
    own, until it is settled."""
    part = {"ai": _ai_part.dump_python(ai, mode="json")}
    return part if ai.status.is_final else {**part, **_ai_place(id_, ai)}


def _ai_place(id_: str, ai: AiPart) -> Document:
    return {
        "ai_state": _ai_state(id_, ai),
        "ai_pending": id_,
        "ai_moved_at": datetime.now(UTC),
    }


def _result(findings: Findings) -> Document:
    plain = replace(findings, embedding=None, fingerprint=None)
    vector, print_ = findings.embedding, findings.fingerprint
    return {
        "findings": _findings.dump_python(plain, mode="json"),
        "embedding": None if vector is None else Binary(np.asarray(vector, "<f4").tobytes()),
        "fingerprint": None if print_ is None else Binary(print_),
    }


def _load(document: Document) -> Analysis:
    findings = dict(document["findings"])
    if packed := document.get("embedding"):
        findings["embedding"] = np.frombuffer(packed, "<f4").tolist()
    findings["fingerprint"] = document.get("fingerprint")
    return _analysis.validate_python({**document, "id": document["_id"], "findings": findings})


def _position(position: int) -> str:
    """Sorts as the number does."""
    return f"{position:08d}"


def _state(id_: str, status: AnalysisStatus) -> str:
    return f"{id_}:{status.value}"


def _ai_state(id_: str, ai: AiPart) -> str:
    """Of each attempt another, so that whoever was given up can change nothing any more."""
    return f"{id_}:{ai.status.value}:{ai.attempts}"


def _is_settled(analysis: Analysis) -> bool:
    """Whether it never changes again."""
    is_done = analysis.status is AnalysisStatus.SUCCEEDED
    return is_done and (analysis.ai is None or analysis.ai.status.is_final)


@dataclass(frozen=True, slots=True)
class AnalysisOutline:
    """An analysis, and whose part it is."""

    id: str
    audio_file_id: str
    batch_id: str | None
    status: AnalysisStatus


class Analyses:
    """The runs of the analysis. Reads for a caller take the owner."""

    def __init__(self, database: Database) -> None:
        self._analyses = database["analyses"]
        # What is settled never changes again, so a process need not read it twice.
        self._settled: LRUCache[str, Analysis] = LRUCache(_REMEMBERED)

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._analyses.create_index("key", unique=True)
        await self._analyses.create_index("state", unique=True)
        await self._analyses.create_index("by_file")
        await self._analyses.create_index("by_batch", sparse=True)
        await self._analyses.create_index("audio_file_id")
        await self._analyses.create_index("batch_id", sparse=True)
        await self._analyses.create_index("ai_state", sparse=True)
        await self._analyses.create_index("ai_pending", sparse=True)

    async def add(self, analyses: Sequence[Analysis], stage: Stage = Stage.WAITING) -> None:
        """`stage` is of those that are queued."""
        stages = {AnalysisStatus.QUEUED: stage, AnalysisStatus.RUNNING: Stage.RUNNING}
        documents = []
        for analysis in analyses:
            document = _dump(analysis)
            if at := stages.get(analysis.status):
                document |= placed(analysis, at)
            documents.append(document)
        await self._analyses.insert_many(documents)

    async def by_ids(self, owner_id: str, ids: Sequence[str]) -> list[Analysis | None]:
        """In the order of `ids`, None where the owner has no such analysis."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        found = {key: self._settled.get(key) for key in keys}
        if unknown := [key for key, analysis in found.items() if analysis is None]:
            cursor = self._analyses.find({"key": {"$in": unknown}}, _WITHOUT_VECTORS)
            for document in await cursor.to_list(None):
                analysis = found[document["key"]] = _load(document)
                if _is_settled(analysis):
                    self._settled[document["key"]] = analysis
        return [found[key] for key in keys]

    async def whole(self, owner_id: str, ids: Sequence[str]) -> list[Analysis]:
        """Those of these that there are, in any order, with their vectors."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        cursor = self._analyses.find({"key": {"$in": keys}})
        return [_load(document) async for document in cursor]

    async def page_of_file(
        self, owner_id: str, audio_file_id: str, window: Window
    ) -> Page[Analysis]:
        """Newest first."""
        return await read_page(
            self._analyses,
            field="by_file",
            prefix=scoped(owner_id, audio_file_id, ""),
            window=window,
            load=_load,
            descending=True,
            projection=_WITHOUT_VECTORS,
        )

    async def page_of_batch(
        self, owner_id: str, batch_id: str, window: Window, status: AnalysisStatus | None
    ) -> Page[Analysis]:
        """In the order of the batch."""
        return await read_page(
            self._analyses,
            field="by_batch",
            prefix=scoped(owner_id, batch_id, ""),
            window=window,
            load=_load,
            where={"status": status.value} if status else None,
            projection=_WITHOUT_VECTORS,
        )

    async def pages_of_files(
        self, owner_id: str, audio_file_ids: Sequence[str], window: Window
    ) -> list[Page[Analysis]]:
        """The same page of many files, by two commands however many they are. Newest first."""
        if len(audio_file_ids) == 1:
            return [await self.page_of_file(owner_id, audio_file_ids[0], window)]
        where = {"audio_file_id": {"$in": list(audio_file_ids)}, "owner_id": owner_id}
        prefixes = [scoped(owner_id, id_, "") for id_ in audio_file_ids]
        return await self._pages("by_file", prefixes, where, window, descending=True)

    async def pages_of_batches(
        self,
        owner_id: str,
        batches: Sequence[BatchJob],
        window: Window,
        status: AnalysisStatus | None,
    ) -> list[Page[Analysis]]:
        """The same page of many batches, by two commands at most. In the order of the batch."""
        if len(batches) == 1:
            return [await self.page_of_batch(owner_id, batches[0].id, window, status)]
        prefixes = [scoped(owner_id, batch.id, "") for batch in batches]
        if status:
            ids = [batch.id for batch in batches]
            where = {"batch_id": {"$in": ids}, "owner_id": owner_id, "status": status.value}
            return await self._pages("by_batch", prefixes, where, window)
        # Without a condition the keys are known: a batch keeps all its items.
        keys = [
            (prefix, [_position(number) for number in range(batch.total)])
            for prefix, batch in zip(prefixes, batches, strict=True)
        ]
        return await read_pages(
            self._analyses,
            field="by_batch",
            keys=keys,
            window=window,
            load=_load,
            projection=_WITHOUT_VECTORS,
        )

    async def _pages(
        self,
        field: str,
        prefixes: Sequence[str],
        where: Document,
        window: Window,
        *,
        descending: bool = False,
    ) -> list[Page[Analysis]]:
        keys: dict[str, list[str]] = {prefix: [] for prefix in prefixes}
        async for row in self._analyses.find(where, {field: 1}):
            prefix, _, key = row[field].rpartition(":")
            keys[f"{prefix}:"].append(key)
        return await read_pages(
            self._analyses,
            field=field,
            keys=[(prefix, sorted(found)) for prefix, found in keys.items()],
            window=window,
            load=_load,
            descending=descending,
            projection=_WITHOUT_VECTORS,
        )

    async def count_succeeded(self, owner_id: str) -> int:
        within_owner = within(scoped(owner_id, ""))
        succeeded = AnalysisStatus.SUCCEEDED.value
        return await self._analyses.count_documents({"key": within_owner, "status": succeeded})

    async def embedding(self, owner_id: str, id_: str) -> list[float] | None:
        """The stored vector, or None where the level had none."""
        row = await self._analyses.find_one({"key": scoped(owner_id, id_)}, {"embedding": 1})
        return np.frombuffer(row["embedding"], "<f4").tolist() if row and row["embedding"] else None

    async def label_scores(self, owner_id: str, ids: Sequence[str]) -> dict[str, dict[str, float]]:
        """The labels of analyses with their scores, by id; what is not there is left out."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        cursor = self._analyses.find({"key": {"$in": keys}}, {"findings.labels": 1})
        return {
            row["_id"]: {label["name"]: label["score"] for label in row["findings"]["labels"]}
            async for row in cursor
        }

    async def fingerprints(self, owner_id: str, ids: Sequence[str]) -> list[bytes | None]:
        """In the order of `ids`; None where there is no such analysis, or it made none."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        cursor = self._analyses.find({"key": {"$in": keys}}, {"fingerprint": 1})
        found = {row["_id"]: row["fingerprint"] async for row in cursor}
        return [found.get(id_) for id_ in ids]

    async def by_id(self, id_: str) -> Analysis | None:
        """Anybody's: for workers."""
        document = await self._analyses.find_one({"_id": id_}, _WITHOUT_VECTORS)
        return _load(document) if document else None

    async def start(self, analysis: Analysis, *, again: bool = False) -> Analysis | None:
        """Moves QUEUED to RUNNING; None where another worker has it, or it was cancelled.

        With `again` (the worker that ran it is lost) also RUNNING to RUNNING.
        """
        queued, running = AnalysisStatus.QUEUED, AnalysisStatus.RUNNING
        started = await self._move(analysis, queued, running, attempts=1)
        if started is None and again:
            return await self._move(analysis, running, running, attempts=1)
        return started

    async def hand_back(self, analysis: Analysis, *, lost: bool) -> Analysis | None:
        """Moves RUNNING to QUEUED: its worker is `lost`, or could not get at what it needs, which
        is no attempt."""
        running, queued = AnalysisStatus.RUNNING, AnalysisStatus.QUEUED
        return await self._move(analysis, running, queued, attempts=0 if lost else -1)

    async def succeed(
        self, analysis: Analysis, findings: Findings, seconds: float, ai: AiPart | None = None
    ) -> Analysis | None:
        """Moves RUNNING to SUCCEEDED with what was found. `ai` is its AI's part: what is to be
        asked, or what is known already."""
        done = {"findings": findings, "ai": ai or analysis.ai, "failure": None}
        return await self._finish(analysis, AnalysisStatus.SUCCEEDED, seconds, done)

    async def ai_pending(self, since_before: datetime, limit: int) -> list[Analysis]:
        """Everybody's analyses whose AI's part has neither moved since that moment nor ended: of
        the oldest `limit`."""
        cursor = self._analyses.find({"ai_pending": {"$gt": ""}}, _WITHOUT_VECTORS)
        return [
            _load(document)
            async for document in cursor.sort("ai_pending").limit(limit)
            if document["ai_moved_at"] < since_before
        ]

    async def move_ai(self, analysis: Analysis, after: AiPart) -> Analysis | None:
        """Moves the AI's part of what has succeeded on from where `analysis` has it; None where
        somebody else has moved it since, or its file is gone."""
        if analysis.ai is None:
            return None
        change: Document = {"$set": {"ai": _ai_part.dump_python(after, mode="json")}}
        if after.status.is_final:
            change["$unset"] = dict.fromkeys(_ai_place(analysis.id, after), "")
        else:
            change["$set"] |= _ai_place(analysis.id, after)
        written = await self._analyses.update_one(
            {"ai_state": _ai_state(analysis.id, analysis.ai)}, change
        )
        return replace(analysis, ai=after) if written.matched_count else None

    async def fail(self, analysis: Analysis, failure: Failure, seconds: float) -> Analysis | None:
        """Moves RUNNING to FAILED with the reason."""
        return await self._finish(analysis, AnalysisStatus.FAILED, seconds, {"failure": failure})

    async def move_batch(
        self, owner_id: str, batch_id: str, before: AnalysisStatus, after: AnalysisStatus
    ) -> list[str]:
        """Moves every item of a batch that is in `before` to `after`; answers which.

        What is queued again begins anew: without attempts, and without its failure.
        """
        moved: list[str] = []
        of_batch = {"by_batch": within(scoped(owner_id, batch_id, "")), "status": before.value}
        rows = self._analyses.find(of_batch, _WITHOUT_VECTORS).sort("by_batch")
        async for row in rows:
            item = _load(row)
            fields: dict[str, Any] = {"finished_at": now() if after.is_final else None}
            attempts = 0
            if after is AnalysisStatus.QUEUED:
                fields |= {"failure": None, "processing_seconds": None, "queued_at": now()}
                attempts = -item.attempts
            if await self._move(item, before, after, fields, attempts):
                moved.append(item.id)
        return moved

    async def counts_of_batch(self, owner_id: str, batch_id: str) -> Counter[AnalysisStatus]:
        """How many items of a batch are in each status (reads all of them)."""
        match = {"$match": {"by_batch": within(scoped(owner_id, batch_id, ""))}}
        group = {"$group": {"_id": "$status", "count": {"$sum": 1}}}
        rows = self._analyses.aggregate([match, group])
        return Counter({AnalysisStatus(row["_id"]): row["count"] async for row in rows})

    async def outlines(self, owner_id: str) -> AsyncIterator[AnalysisOutline]:
        """All of an owner's analyses, each told in a few words, the oldest first."""
        fields = {"audio_file_id": 1, "batch_id": 1, "status": 1}
        rows = self._analyses.find({"key": within(scoped(owner_id, ""))}, fields).sort("key")
        async for row in rows:
            yield AnalysisOutline(
                row["_id"], row["audio_file_id"], row.get("batch_id"), AnalysisStatus(row["status"])
            )

    async def forget(self, ids: Sequence[str]) -> None:
        await self._analyses.delete_many({"_id": {"$in": list(ids)}})

    async def forget_batch(self, owner_id: str, batch_id: str) -> None:
        """Removes the items of a batch that was not made after all."""
        await self._analyses.delete_many({"by_batch": within(scoped(owner_id, batch_id, ""))})

    async def forget_file(self, owner_id: str, audio_file_id: str) -> None:
        """Removes the results of a deleted file.

        Items of a batch stay, without results, so that the batch still counts to its end; what
        is queued or running ends by itself when it finds no file.
        """
        of_file = {"by_file": within(scoped(owner_id, audio_file_id, ""))}
        final = [status.value for status in AnalysisStatus if status.is_final]
        await self._analyses.delete_many({**of_file, "batch_id": None, "status": {"$in": final}})
        nothing = {"$set": {**_result(Findings()), "ai": None}}
        nothing["$unset"] = {"ai_state": "", "ai_pending": "", "ai_moved_at": ""}
        await self._analyses.update_many(of_file, nothing)

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's."""
        await self._analyses.delete_many({"key": within(scoped(owner_id, ""))})

    async def _finish(
        self, analysis: Analysis, status: AnalysisStatus, seconds: float, fields: dict[str, Any]
    ) -> Analysis | None:
        fields |= {"processing_seconds": seconds, "finished_at": now()}
        return await self._move(analysis, AnalysisStatus.RUNNING, status, fields)

    async def _move(
        self,
        analysis: Analysis,
        before: AnalysisStatus,
        after: AnalysisStatus,
        fields: dict[str, Any] | None = None,
        attempts: int = 0,
    ) -> Analysis | None:
        """Answers the analysis as it is then, with other `fields` and so many more `attempts`."""
        fields = {**(fields or {}), "status": after}
        moved = replace(analysis, attempts=analysis.attempts + attempts, **fields)
        document = _dump(moved)
        names = {*fields, "state", *(_VECTORS if "findings" in fields else ())}
        change = {name: document[name] for name in names} | placed(moved, STAGES[after])
        if after is AnalysisStatus.SUCCEEDED and moved.ai:
            change |= _ready(moved.id, moved.ai)
        # Not find_one_and_update, for which the embedded server reads the whole collection.
        written = await self._analyses.update_one(
            {"state": _state(analysis.id, before)},
            {"$set": change, **({"$inc": {"attempts": attempts}} if attempts else {})},
        )
        return moved if written.matched_count else None
