"""Runs of the analysis. The field `state` holds the id and the status in one indexed string,
so that one conditional write on it decides who may move an analysis on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from bson.binary import Binary
from cachetools import LRUCache
from pydantic import TypeAdapter

from samplemind.domain.ai import AiInsight, AiPart, AiStatus
from samplemind.domain.analysis import Analysis, AnalysisStatus, Failure, Findings
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.paging import Page, Window
from samplemind.store.database import Database, Document, scoped, within
from samplemind.store.pages import read_page, read_pages

_analysis = TypeAdapter(Analysis)
_findings = TypeAdapter(Findings)
_ai_part = TypeAdapter(AiPart)
_insight = TypeAdapter(AiInsight)

# About 10 KB each, more for a track.
_REMEMBERED = 1_000

# They are large, and few ask for them.
_WITHOUT_VECTORS = {"embedding": 0, "fingerprint": 0}


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
        **({} if analysis.status.is_final else {"pending": id_}),
        **(_ai(id_, analysis.ai) if analysis.ai else {}),
    }


def _ai(id_: str, ai: AiPart) -> Document:
    """The AI's part is moved on as the analysis is, by a string of its own."""
    return {"ai": _ai_part.dump_python(ai, mode="json"), "ai_state": _ai_state(id_, ai.status)}


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


def _ai_state(id_: str, status: AiStatus) -> str:
    return f"{id_}:{status.value}"


def _is_settled(analysis: Analysis) -> bool:
    """Whether it never changes again."""
    is_done = analysis.status is AnalysisStatus.SUCCEEDED
    return is_done and (analysis.ai is None or analysis.ai.status.is_final)


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
        await self._analyses.create_index("pending", sparse=True)
        await self._analyses.create_index("ai_state", sparse=True)
        await self._analyses.create_index("ai_pending", sparse=True)

    async def add(self, analyses: Sequence[Analysis]) -> None:
        await self._analyses.insert_many([_dump(analysis) for analysis in analyses])

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

    async def ids_of_batch(self, owner_id: str, batch_id: str, status: AnalysisStatus) -> list[str]:
        where = {"by_batch": within(scoped(owner_id, batch_id, "")), "status": status.value}
        return [row["_id"] async for row in self._analyses.find(where, {"_id": 1}).sort("by_batch")]

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

    async def whole(self, owner_id: str, id_: str) -> Analysis | None:
        """An analysis with its vector and its fingerprint."""
        row = await self._analyses.find_one({"key": scoped(owner_id, id_)})
        return _load(row) if row else None

    async def fingerprints(self, owner_id: str, ids: Sequence[str]) -> list[bytes | None]:
        """In the order of `ids`; None where there is no such analysis, or it made none."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        cursor = self._analyses.find({"key": {"$in": keys}}, {"fingerprint": 1})
        found = {row["_id"]: row["fingerprint"] async for row in cursor}
        return [found.get(id_) for id_ in ids]

    async def files_pending(self) -> set[str]:
        """Everybody's files that have an analysis queued or running."""
        cursor = self._analyses.find({"pending": {"$gt": ""}}, {"audio_file_id": 1})
        return {document["audio_file_id"] async for document in cursor}

    async def pending_ids(self) -> list[str]:
        """Everybody's analyses that are queued or running, the oldest first."""
        cursor = self._analyses.find({"pending": {"$gt": ""}}, {"_id": 1}).sort("pending")
        return [document["_id"] async for document in cursor]

    async def start(self, id_: str, *, again: bool = False) -> Analysis | None:
        """Moves QUEUED to RUNNING; None where another worker has it, or it was cancelled.

        With `again` (the worker that ran it is lost) also RUNNING to RUNNING.
        """
        queued, running = AnalysisStatus.QUEUED, AnalysisStatus.RUNNING
        started = await self._move(id_, queued, running, attempts=1)
        if started is None and again:
            return await self._move(id_, running, running, attempts=1)
        return started

    async def succeed(
        self, id_: str, findings: Findings, seconds: float, ai: AiPart | None = None
    ) -> Analysis | None:
        """Moves RUNNING to SUCCEEDED with what was found. `ai` is its AI's part: what is to be
        asked, or what is known already."""
        change = {**_result(findings), "processing_seconds": seconds, "failure": None}
        if ai:
            change |= _ai(id_, ai)
            if not ai.status.is_final:
                change["ai_pending"] = id_
        return await self._finish(id_, AnalysisStatus.SUCCEEDED, change)

    async def ai_pending(self, lost_after: timedelta) -> list[Analysis]:
        """Everybody's analyses whose AI is to be asked, the oldest first: those that wait, and
        those that somebody began longer than `lost_after` ago."""
        cursor = self._analyses.find({"ai_pending": {"$gt": ""}}, _WITHOUT_VECTORS)
        begun = datetime.now(UTC) - lost_after
        return [
            _load(document)
            async for document in cursor.sort("ai_pending")
            if document["ai"]["status"] == AiStatus.QUEUED or document["ai_begun_at"] < begun
        ]

    async def start_ai(self, id_: str, lost_after: timedelta) -> Analysis | None:
        """Moves the AI's part of what has succeeded from QUEUED to RUNNING; None where another
        worker has it. One that was begun longer than `lost_after` ago is begun again."""
        queued, running = AiStatus.QUEUED, AiStatus.RUNNING
        pending = {"ai_pending": id_}
        change = {"ai_begun_at": datetime.now(UTC)}
        begun = await self._move_ai(id_, queued, running, change, where=pending, attempts=1)
        if begun is None:
            lost = {**pending, "ai_begun_at": {"$lt": datetime.now(UTC) - lost_after}}
            begun = await self._move_ai(id_, running, running, change, where=lost, attempts=1)
        return begun

    async def finish_ai(self, id_: str, result: AiInsight | Failure) -> Analysis | None:
        """Moves the AI's part from RUNNING to its end."""
        if isinstance(result, Failure):
            failure = {"code": result.code, "message": result.message}
            return await self._move_ai(
                id_, AiStatus.RUNNING, AiStatus.FAILED, {"ai.failure": failure}
            )
        insight = _insight.dump_python(result, mode="json")
        return await self._move_ai(
            id_, AiStatus.RUNNING, AiStatus.SUCCEEDED, {"ai.insight": insight}
        )

    async def release_ai(self, id_: str) -> None:
        """Gives back what cannot be brought to an end now."""
        await self._move_ai(id_, AiStatus.RUNNING, AiStatus.QUEUED, {}, attempts=-1)

    async def fail(self, id_: str, failure: Failure, seconds: float) -> Analysis | None:
        """Moves RUNNING to FAILED with the reason."""
        reason = {"code": failure.code, "message": failure.message}
        change = {"failure": reason, "processing_seconds": seconds}
        return await self._finish(id_, AnalysisStatus.FAILED, change)

    async def move_batch(
        self, owner_id: str, batch_id: str, before: AnalysisStatus, after: AnalysisStatus
    ) -> int:
        """Moves every item of a batch that is in `before` to `after`; answers how many.

        What is queued again begins anew: without attempts, and without its failure.
        """
        moved = 0
        for id_ in await self.ids_of_batch(owner_id, batch_id, before):
            fields: Document = {"finished_at": datetime.now(UTC) if after.is_final else None}
            if after is AnalysisStatus.QUEUED:
                fields |= {"attempts": 0, "failure": None, "processing_seconds": None}
            moved += await self._move(id_, before, after, fields) is not None
        return moved

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
        await self._analyses.update_many(
            of_file,
            {
                "$set": {**_result(Findings()), "ai": None},
                "$unset": {"ai_state": "", "ai_pending": ""},
            },
        )

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's."""
        await self._analyses.delete_many({"key": within(scoped(owner_id, ""))})

    async def _move_ai(
        self,
        id_: str,
        before: AiStatus,
        after: AiStatus,
        fields: Document,
        *,
        where: Document | None = None,
        attempts: int = 0,
    ) -> Analysis | None:
        moved = {"ai.status": after.value, "ai_state": _ai_state(id_, after)}
        change: Document = {"$set": {**fields, **moved}}
        if attempts:
            change["$inc"] = {"ai.attempts": attempts}
        if after.is_final:
            change["$unset"] = {"ai_pending": ""}
        found = {"ai_state": _ai_state(id_, before), **(where or {})}
        result = await self._analyses.update_one(found, change)
        if not result.modified_count:
            return None
        document = await self._analyses.find_one({"_id": id_}, _WITHOUT_VECTORS)
        return _load(document) if document else None

    async def _finish(self, id_: str, status: AnalysisStatus, change: Document) -> Analysis | None:
        change = {**change, "finished_at": datetime.now(UTC)}
        return await self._move(id_, AnalysisStatus.RUNNING, status, change)

    async def _move(
        self,
        id_: str,
        before: AnalysisStatus,
        after: AnalysisStatus,
        fields: Document | None = None,
        attempts: int = 0,
    ) -> Analysis | None:
        change: Document = {
            "$set": {"status": after.value, "state": _state(id_, after), **(fields or {})},
        }
        if attempts:
            change["$inc"] = {"attempts": attempts}
        if after.is_final:
            change["$unset"] = {"pending": ""}
        else:
            change["$set"]["pending"] = id_
        result = await self._analyses.update_one({"state": _state(id_, before)}, change)
        if not result.modified_count:
            return None
        document = await self._analyses.find_one({"_id": id_}, _WITHOUT_VECTORS)
        return _load(document) if document else None
