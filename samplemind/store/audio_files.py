"""Stored sounds: one document a file, with the facets of its analysis to search by."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from samplemind.cache import Cache
from samplemind.domain.analysis import Analysis, AnalysisLevel
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.library import (
    AudioFileFilter,
    AudioFileOrder,
    AudioFileOrderField,
    Bucket,
    LibraryStats,
    words_of,
)
from samplemind.domain.paging import Page, Window
from samplemind.store.conditions import (
    conditions,
    facets,
    indexed,
    of_one_element,
    words_and_tags,
)
from samplemind.store.database import END, Database, Document, scoped, within
from samplemind.store.holds import as_stored, holds
from samplemind.store.pages import read_page
from samplemind.store.rarest import Rarest
from samplemind.store.steps import Steps

_audio_file = TypeAdapter(AudioFile)
_filter = TypeAdapter(AudioFileFilter)
_stats = TypeAdapter(LibraryStats)

# A change ends what is kept; this bounds it where Redis could not be told of one.
_KEPT_SECONDS = 60

# Rows that are read by one condition: so many where it is all that is asked, which takes few bytes
# of each; else, to be compared with the rest of a filter, one in so many of the owner's.
_FEW, _FEW_OF = 2_000, 20

T = TypeVar("T")

_ORDER_FIELDS = {
    AudioFileOrderField.UPLOADED_AT: "key",
    AudioFileOrderField.FILENAME: "by_filename",
    AudioFileOrderField.DURATION: "by_duration",
    AudioFileOrderField.TEMPO: "by_tempo",
}


@dataclass(frozen=True, slots=True)
class Outline:
    """A file, and by which analysis and version of the engine it is known."""

    id: str
    sha256: str
    analysis_id: str | None
    engine_version: str | None


def order_field(order: AudioFileOrder) -> str:
    """The indexed field that holds this order. Files without a tempo come last both ways,
    which takes one key for each direction."""
    field = _ORDER_FIELDS[order.field]
    return field + "_down" if field == "by_tempo" and order.descending else field


def _sortable(number: float) -> str:
    """A string that sorts as the number does, to a thousandth."""
    return f"{number * 1_000:013.0f}"


def _naming(audio_file: AudioFile) -> Document:
    """What follows from the filename and the tags."""
    owner, id_ = audio_file.owner_id, audio_file.id
    return {
        "filename": audio_file.filename,
        "tags": list(audio_file.tags),
        # A tab sorts before all that a filename holds, so "x" comes before "x 2".
        "by_filename": scoped(owner, f"{audio_file.filename.casefold()[:200]}\t{id_}"),
        "words": words_and_tags(
            owner, words_of(audio_file.filename, *audio_file.tags), audio_file.tags
        ),
    }


def _facets(owner: str, id_: str, analysis: Analysis | None) -> Document:
    """What follows from the analysis that stands for the file."""
    findings = analysis.findings if analysis else None
    tempo = findings.tempo.bpm if findings and findings.tempo else None
    kind = findings.kind if findings else None
    key = findings.key if findings else None
    labels = [label.name for label in findings.labels] if findings else []
    musical_key = f"{key.tonic} {key.mode.value.lower()}" if key else None
    return {
        "analysis_id": analysis.id if analysis else None,
        "standing": _standing(analysis.level, analysis.id) if analysis else None,
        "analyzed": analysis is not None,
        "engine_version": analysis.engine_version if analysis else None,
        "kind": kind,
        "tempo": tempo,
        "musical_key": musical_key,
        "labels": labels,
        "facets": facets(owner, [kind], labels, [musical_key]),
        "loudness": findings.loudness.integrated_lufs if findings and findings.loudness else None,
        "by_tempo": scoped(owner, "~" if tempo is None else _sortable(tempo), id_),
        "by_tempo_down": scoped(owner, "!" if tempo is None else _sortable(tempo), id_),
    }


def _standing(level: AnalysisLevel, analysis_id: str) -> str:
    """Sorts analyses of one file: a deeper one is above all that asked less, then by age."""
    return f"{level.depth}:{analysis_id}"


def _dump(audio_file: AudioFile) -> Document:
    document = _audio_file.dump_python(audio_file)
    owner, id_ = audio_file.owner_id, document.pop("id")
    return {
        "_id": id_,
        **document,
        **_naming(audio_file),
        **_facets(owner, id_, None),
        "key": scoped(owner, id_),
        "content": scoped(owner, audio_file.sha256),
        "by_duration": scoped(owner, _sortable(audio_file.facts.duration_seconds), id_),
    }


def _load(document: Document) -> AudioFile:
    return _audio_file.validate_python({**document, "id": document["_id"]})


class AudioFiles:
    """The stored files. Every read takes the owner: another's file is not found."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._files = database["audio_files"]
        self._steps = Steps(database, self._files)
        self._rarest = Rarest(self._files)
        self._cache = cache

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._files.create_index("key", unique=True)
        await self._files.create_index("content", unique=True)
        orders = ("by_filename", "by_duration", "by_tempo", "by_tempo_down")
        for field in (*orders, "words", "facets", "engine_version"):
            await self._files.create_index(field)

    async def add(self, audio_file: AudioFile) -> AudioFile:
        """Stores the file, or answers the one that holds the same bytes already."""
        try:
            async with self._changing(audio_file.owner_id):
                await self._files.insert_one(_dump(audio_file))
        except DuplicateKeyError:
            existing = await self.by_content(audio_file.owner_id, audio_file.sha256)
            return existing or await self.add(audio_file)
        return audio_file

    async def by_content(self, owner_id: str, sha256: str) -> AudioFile | None:
        document = await self._files.find_one({"content": scoped(owner_id, sha256)})
        return _load(document) if document else None

    async def by_ids(self, owner_id: str, ids: Sequence[str]) -> list[AudioFile | None]:
        """In the order of `ids`, None where the owner has no such file."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        documents = await self._files.find({"key": {"$in": keys}}).to_list(None)
        found = {document["_id"]: _load(document) for document in documents}
        return [found.get(id_) for id_ in ids]

    async def page(
        self,
        owner_id: str,
        window: Window,
        order: AudioFileOrder,
        filter_: AudioFileFilter | None = None,
    ) -> Page[AudioFile]:
        return await read_page(
            self._files,
            field=order_field(order),
            prefix=scoped(owner_id, ""),
            window=window,
            load=_load,
            descending=order.descending,
            where=conditions(owner_id, filter_),
            steps=self._steps,
            few=lambda most: self._few(owner_id, filter_, None, most),
        )

    async def count(self, owner_id: str, filter_: AudioFileFilter | None = None) -> int:
        async def count() -> int:
            if (few := await self._few(owner_id, filter_, {"_id": 1})) is not None:
                return len(few)
            return await self._files.count_documents(self._matching(owner_id, filter_))

        return await self._kept("count", owner_id, filter_, count)

    async def ids(self, owner_id: str, filter_: AudioFileFilter | None = None) -> list[str]:
        """The ids of all files that match, in upload order."""
        cursor = self._files.find(self._matching(owner_id, filter_), {"_id": 1}).sort("key")
        return [document["_id"] async for document in cursor]

    async def few(self, owner_id: str, filter_: AudioFileFilter) -> list[str] | None:
        """The ids of all files that match, in no order; None where no index tells quickly."""
        rows = await self._few(owner_id, filter_, {"_id": 1})
        return None if rows is None else [row["_id"] for row in rows]

    async def _few(
        self,
        owner_id: str,
        filter_: AudioFileFilter | None,
        fields: Document | None,
        most: int | None = None,
    ) -> list[Document] | None:
        """The rows of all files that match, at least these fields of them, in no order; None where
        each indexed condition of the filter is met by more than `most`, or than pays off."""
        wanted = indexed(owner_id, filter_) if filter_ else []
        if not await self._steps.needed():
            wanted = [of_one_element(each) for each in wanted]
        query = conditions(owner_id, filter_)
        is_all = len(wanted) == len(query) == 1
        if most is None and is_all:
            most = _FEW
        elif most is None:
            most = await self._steps.rows("key", scoped(owner_id, "")) // _FEW_OF
        rows = await self._rarest.rows(wanted, fields if is_all else None, most)
        if rows is None or is_all:
            return rows
        query = as_stored(query, self._files.codec_options)
        return [row for row in rows if holds(row, query)]

    async def matching(
        self, owner_id: str, ids: Sequence[str], filter_: AudioFileFilter
    ) -> set[str]:
        """Those of `ids` that match. They are read by their keys alone, which every server has an
        index for, and compared here."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        query = as_stored(conditions(owner_id, filter_), self._files.codec_options)
        documents = await self._files.find({"key": {"$in": keys}}).to_list(None)
        return {document["_id"] for document in documents if holds(document, query)}

    async def known_words(self, owner_id: str, words: Iterable[str]) -> set[str]:
        """Those that some filename or tag holds, as a filter's `search` looks for them."""

        async def is_known(word: str) -> bool:
            filter_ = AudioFileFilter(search=word)
            query, strings = conditions(owner_id, filter_), indexed(owner_id, filter_)
            if len(strings) == 1 and await self._steps.needed():
                [query] = strings
            return bool(query) and await self._files.find_one(query, {"_id": 1}) is not None

        words = list(words)
        found = await asyncio.gather(*map(is_known, words))
        return {word for word, known in zip(words, found, strict=True) if known}

    async def rename(self, audio_file: AudioFile) -> None:
        """Stores the filename and the tags of `audio_file`."""
        key = scoped(audio_file.owner_id, audio_file.id)
        async with self._changing(audio_file.owner_id):
            await self._files.update_one({"key": key}, {"$set": _naming(audio_file)})

    async def add_tags(
        self, owner_id: str, id_: str, tags: Sequence[str], *, accepted: Sequence[str] = ()
    ) -> AudioFile | None:
        """Adds the tags in one atomic write, so that two who add at once lose nothing; answers
        the changed file. What is `accepted` is no longer refused."""
        words = words_and_tags(owner_id, words_of(*tags), tags)
        change: Document = {
            "$addToSet": {"tags": {"$each": list(tags)}, "words": {"$each": words}},
        }
        if accepted:
            change["$pull"] = {"refused_tags": {"$in": [tag.casefold() for tag in accepted]}}
        return await self._change(owner_id, id_, change)

    async def refuse_tags(self, owner_id: str, id_: str, tags: Sequence[str]) -> AudioFile | None:
        """Adds to what is refused, case folded; answers the changed file."""
        return await self._change(
            owner_id, id_, {"$addToSet": {"refused_tags": {"$each": list(tags)}}}
        )

    async def _change(self, owner_id: str, id_: str, change: Document) -> AudioFile | None:
        async with self._changing(owner_id):
            document = await self._files.find_one_and_update(
                {"key": scoped(owner_id, id_)}, change, return_document=ReturnDocument.AFTER
            )
        return _load(document) if document else None

    async def set_analysis(self, analysis: Analysis) -> bool:
        """Lets a succeeded analysis stand for its file, unless a newer or a deeper one does.

        False where the file is gone.
        """
        # One atomic write, found by one indexed field alone.
        newer = {"$gt": [{"$ifNull": ["$standing", ""]}, _standing(analysis.level, analysis.id)]}
        found = _facets(analysis.owner_id, analysis.audio_file_id, analysis)
        change = {
            name: {"$cond": [newer, f"${name}", {"$literal": value}]}
            for name, value in found.items()
        }
        key = scoped(analysis.owner_id, analysis.audio_file_id)
        async with self._changing(analysis.owner_id):
            result = await self._files.update_one({"key": key}, [{"$set": change}])
        return result.matched_count > 0

    async def analyzed(self, together: int) -> AsyncIterator[list[AudioFile]]:
        """Everybody's files that have an analysis, so many at a time (a full scan)."""
        files: list[AudioFile] = []
        async for document in self._files.find({"analyzed": True}):
            files.append(_load(document))
            if len(files) == together:
                yield files
                files = []
        if files:
            yield files

    async def analyzed_by_another_engine(self, version: str) -> AsyncIterator[AudioFile]:
        """Everybody's files whose newest analysis was not made by this version."""
        # An index knows what is below and above; for what is not equal it would be read whole.
        for other in ({"$lt": version}, {"$gt": version}):
            async for document in self._files.find({"engine_version": other}):
                yield _load(document)

    async def owners(self) -> AsyncIterator[str]:
        """Whoever has files."""
        low = ""
        while row := await self._files.find_one(
            {"key": {"$gt": low}}, {"owner_id": 1}, sort=[("key", 1)]
        ):
            yield row["owner_id"]
            low = scoped(row["owner_id"], END)

    async def outlines(self, owner_id: str) -> AsyncIterator[Outline]:
        """All of an owner's files, each told in a few words, in upload order."""
        fields = {"sha256": 1, "analysis_id": 1, "engine_version": 1}
        rows = self._files.find({"key": within(scoped(owner_id, ""))}, fields).sort("key")
        async for row in rows:
            yield Outline(row["_id"], row["sha256"], row["analysis_id"], row["engine_version"])

    async def remove(self, owner_id: str, id_: str) -> None:
        async with self._changing(owner_id):
            await self._files.delete_one({"key": scoped(owner_id, id_)})

    async def sums(self, owner_id: str) -> tuple[int, int, float]:
        """How many files, how many bytes, how many seconds: read from all of them."""
        group = {
            "_id": None,
            "files": {"$sum": 1},
            "bytes": {"$sum": "$size_bytes"},
            "seconds": {"$sum": "$facts.duration_seconds"},
        }
        match = {"$match": self._matching(owner_id, None)}
        async for row in self._files.aggregate([match, {"$group": group}]):
            return row["files"], row["bytes"], row["seconds"]
        return 0, 0, 0.0

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's."""
        async with self._changing(owner_id):
            await self._files.delete_many({"key": within(scoped(owner_id, ""))})

    async def stats(self, owner_id: str, filter_: AudioFileFilter | None = None) -> LibraryStats:
        """Sums over all files that match. Tempos are counted in steps of 10 BPM: "120-129" holds
        all from 120 up to, and without, 130."""

        async def sum_up() -> dict[str, Any]:
            return _stats.dump_python(await self._stats(owner_id, filter_), mode="json")

        return _stats.validate_python(await self._kept("stats", owner_id, filter_, sum_up))

    async def _stats(self, owner_id: str, filter_: AudioFileFilter | None) -> LibraryStats:
        # One pass: what is alike in everything is one row, and the rows are summed up here.
        same = {
            "kind": "$kind",
            "key": "$musical_key",
            "labels": "$labels",
            "tens": {"$floor": {"$divide": ["$tempo", 10]}},
            "analyzed": "$analyzed",
        }
        group = {
            "_id": same,
            "files": {"$sum": 1},
            "seconds": {"$sum": "$facts.duration_seconds"},
            "bytes": {"$sum": "$size_bytes"},
        }
        match = {"$match": self._matching(owner_id, filter_)}
        kinds, keys, labels, tempos = Counter(), Counter(), Counter(), Counter()
        files, analyzed, seconds, size = 0, 0, 0.0, 0
        async for row in self._files.aggregate([match, {"$group": group}]):
            one, count = row["_id"], row["files"]
            files += count
            analyzed += count * bool(one["analyzed"])
            seconds += row["seconds"]
            size += row["bytes"]
            kinds[one.get("kind")] += count
            keys[one.get("key")] += count
            tempos[_tempo_step(one.get("tens"))] += count
            for label in one["labels"]:
                labels[label] += count
        return LibraryStats(
            audio_files=files,
            analyzed=analyzed,
            total_seconds=seconds,
            total_bytes=size,
            by_kind=_buckets(kinds),
            by_key=_buckets(keys),
            by_label=_buckets(labels),
            by_tempo=_buckets(tempos),
        )

    @asynccontextmanager
    async def _changing(self, owner_id: str) -> AsyncIterator[None]:
        """Around each write, also one that fails halfway: ends what _kept keeps."""
        try:
            yield
        finally:
            await self._cache.changed(_files_of(owner_id))

    async def _kept(
        self,
        what: str,
        owner_id: str,
        filter_: AudioFileFilter | None,
        make: Callable[[], Awaitable[T]],
    ) -> T:
        """What follows from all of an owner's files, until one of them changes."""
        digest = hashlib.sha256(_filter.dump_json(filter_ or AudioFileFilter())).hexdigest()
        return await self._cache.get_or_make_of(
            _files_of(owner_id), f"{what}:{digest}", make, seconds=_KEPT_SECONDS
        )

    def _matching(self, owner_id: str, filter_: AudioFileFilter | None) -> Document:
        return {"key": within(scoped(owner_id, "")), **conditions(owner_id, filter_)}


def _files_of(owner_id: str) -> str:
    return f"files:{owner_id}"


def _tempo_step(tens: float | None) -> str | None:
    return None if tens is None else f"{int(tens) * 10}-{int(tens) * 10 + 9}"


def _buckets(counted: Counter[str | None]) -> tuple[Bucket, ...]:
    """Largest first, then by name; files without a value are left out."""
    named = [Bucket(name, count) for name, count in counted.items() if name is not None]
    return tuple(sorted(named, key=lambda bucket: (-bucket.count, bucket.name)))
