"""Every query that the store sends is served by an index.

What is explained is the command that the driver really sent.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pymongo import ReadPreference

from samplemind.domain.ai import AiPart, AiUsage
from samplemind.domain.analysis import Analysis, AnalysisStatus, Failure, Lane, SampleKind
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.delivery import Delivery, DeliveryStatus
from samplemind.domain.ids import new_id
from samplemind.domain.library import AudioFileFilter, AudioFileOrder, AudioFileOrderField
from samplemind.domain.paging import Window
from samplemind.domain.upload import Upload
from samplemind.domain.webhook import Webhook, WebhookEvent
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store import Store
from samplemind.store.database import Database, connect
from samplemind.store.places import Stage
from samplemind.store.vector_syncs import VectorSync
from tests.domain.models import NOON, analysis, audio_file, batch_job, findings, user
from tests.store.commands import indexes_of, recorded_commands
from tests.store.planning import is_served, reads


@dataclass(frozen=True)
class Stored:
    """One of each, in the store."""

    file: AudioFile
    run: Analysis
    batch: BatchJob
    upload: Upload
    webhook: Webhook
    delivery: Delivery


@pytest.fixture(scope="module")
async def stored(parts: Parts) -> Stored:
    owner, store = new_id(), parts.store
    file = await store.audio_files.add(audio_file(owner))
    batch = await store.batch_jobs.add(batch_job(owner, 1, idempotency_key="key"))
    run = analysis(owner, file.id, batch_id=batch.id, position=0, findings=findings())
    await store.analyses.add([run])
    await store.users.ensure(user(owner))
    upload = Upload(new_id(), owner, "kick.wav", 5, NOON)
    await store.uploads.add(upload)
    events = (WebhookEvent.BATCH_JOB_FINISHED,)
    webhook = Webhook(new_id(), owner, "http://127.0.0.1", events, "whsec_YQ==", NOON)
    await store.webhooks.add(webhook)
    delivery = Delivery(new_id(), owner, webhook.id, events[0], "", NOON, due_at=NOON)
    await store.deliveries.add(delivery, delivery.id, NOON)
    return Stored(file, run, batch, upload, webhook, delivery)


@pytest.fixture(scope="module")
async def database(settings: Settings) -> AsyncIterator[Database]:
    client, database = connect(settings.mongo_url)
    yield database
    client.close()


_QUEUED, _CANCELLED = AnalysisStatus.QUEUED, AnalysisStatus.CANCELLED
_FILTER = AudioFileFilter(kinds=(SampleKind.LOOP,))

Use = Callable[[Store, Stored], Awaitable[Any]]


def _paged(order: AudioFileOrder) -> Use:
    window = Window(5, after="0", before="z")
    return lambda s, x: s.audio_files.page(x.file.owner_id, window, order)


# One condition on one indexed field: served by an index everywhere.
_SCALAR: dict[str, Use] = {
    "audio files by ids": lambda s, x: s.audio_files.by_ids(x.file.owner_id, [x.file.id, "y"]),
    "audio file by content": lambda s, x: s.audio_files.by_content(x.file.owner_id, x.file.sha256),
    "audio files counted": lambda s, x: s.audio_files.count(x.file.owner_id),
    "audio file ids": lambda s, x: s.audio_files.ids(x.file.owner_id),
    "audio file stats": lambda s, x: s.audio_files.stats(x.file.owner_id),
    "audio file tagged": lambda s, x: s.audio_files.add_tags(
        x.file.owner_id, x.file.id, ["a"], accepted=["a"]
    ),
    "tags refused": lambda s, x: s.audio_files.refuse_tags(x.file.owner_id, x.file.id, ["a"]),
    "audio file renamed": lambda s, x: s.audio_files.rename(x.file),
    "audio file analysed": lambda s, x: s.audio_files.set_analysis(x.run),
    "files of another engine": lambda s, _: anext(
        s.audio_files.analyzed_by_another_engine("5"), None
    ),
    "audio file removed": lambda s, x: s.audio_files.remove(x.file.owner_id, "y"),
    "analyses by ids": lambda s, x: s.analyses.by_ids(x.run.owner_id, [x.run.id, "y"]),
    "analyses of a file": lambda s, x: s.analyses.page_of_file(
        x.run.owner_id, x.run.audio_file_id, Window(5, after="z")
    ),
    "items of a batch": lambda s, x: s.analyses.page_of_batch(
        x.run.owner_id, x.batch.id, Window(5, True), None
    ),
    "labels of analyses": lambda s, x: s.analyses.label_scores(x.run.owner_id, [x.run.id, "y"]),
    "files of places": lambda s, x: s.places.files(),
    "pending counted": lambda s, x: s.places.count_pending(x.run.owner_id),
    "sent counted": lambda s, x: s.places.count_sent(Lane.BATCH, x.run.owner_id),
    "owners waiting": lambda s, x: s.places.owners_waiting(Lane.INTERACTIVE),
    "analyses claimed": lambda s, x: s.places.claim(Lane.BATCH, "y", 5),
    "items released": lambda s, x: s.places.release_batch("y", "y"),
    "analyses sent again": lambda s, x: s.places.sent_again(["y"]),
    "analyses at a stage": lambda s, x: s.places.since_before(Stage.RUNNING, NOON),
    "places left": lambda s, x: s.places.leave(["y"]),
    "analysis by id": lambda s, x: s.analyses.by_id(x.run.id),
    "analyses forgotten": lambda s, x: s.analyses.forget(["y"]),
    "items counted": lambda s, x: s.analyses.counts_of_batch(x.run.owner_id, x.batch.id),
    "analysis handed back": lambda s, x: s.analyses.hand_back(x.run, lost=True),
    "embedding": lambda s, x: s.analyses.embedding(x.run.owner_id, x.run.id),
    "analysis started": lambda s, x: s.analyses.start(x.run, again=True),
    "analysis succeeded": lambda s, x: s.analyses.succeed(x.run, findings(), 1.0),
    "analysis failed": lambda s, x: s.analyses.fail(x.run, Failure("A", "b"), 1.0),
    "AI pending": lambda s, x: s.analyses.ai_pending(NOON, 5),
    "AI moved": lambda s, x: s.analyses.move_ai(replace(x.run, ai=AiPart()), AiPart()),
    "analysis as a whole": lambda s, x: s.analyses.whole(x.run.owner_id, [x.run.id]),
    "AI answer found": lambda s, x: s.ai_answers.find(x.run.owner_id, "insight:a"),
    "AI answer kept": lambda s, x: s.ai_answers.keep(x.run.owner_id, "insight:a", {}),
    "AI answers forgotten": lambda s, x: s.ai_answers.forget(x.run.owner_id, "insight", "a"),
    "AI usage of a day": lambda s, x: s.ai_usages.of(x.run.owner_id, NOON.date()),
    "AI usage counted": lambda s, x: s.ai_usages.add(x.run.owner_id, AiUsage(NOON.date())),
    "AI usages forgotten": lambda s, x: s.ai_usages.forget_owner("y"),
    "batch forgotten": lambda s, x: s.analyses.forget_batch(x.run.owner_id, "y"),
    "batches by ids": lambda s, x: s.batch_jobs.by_ids(x.batch.owner_id, [x.batch.id, "y"]),
    "batch by idempotency key": lambda s, x: s.batch_jobs.by_idempotency_key(
        x.batch.owner_id, "key"
    ),
    "batches": lambda s, x: s.batch_jobs.page(x.batch.owner_id, Window(5)),
    "batches counted": lambda s, x: s.batch_jobs.count(x.batch.owner_id),
    "batch advanced": lambda s, x: s.batch_jobs.advance(x.batch.id, 0, {"failed": 0}, None),
    "epoch of a batch": lambda s, x: s.batch_jobs.epoch(x.batch.id),
    "batch to count": lambda s, x: s.batch_jobs.to_count(x.batch.id),
    "batch counted anew": lambda s, x: s.batch_jobs.recounted(x.batch, 1, {"failed": 0}),
    "vector put off": lambda s, x: s.vector_syncs.add(VectorSync("y", "y")),
    "vector made up for": lambda s, x: s.vector_syncs.remove(VectorSync("y", "y")),
    "changes of a batch": lambda s, x: s.batch_jobs.changes(x.batch.id, 1),
    "user ensured": lambda s, x: s.users.ensure(user(x.file.owner_id)),
    "upload by id": lambda s, x: s.uploads.by_id(x.upload.owner_id, x.upload.id),
    "upload claimed": lambda s, x: s.uploads.claim(x.upload.owner_id, x.upload.id, NOON, NOON),
    "upload released": lambda s, x: s.uploads.release(x.upload.owner_id, x.upload.id),
    "upload completed": lambda s, x: s.uploads.complete(x.upload.owner_id, x.upload.id),
    "uploads expired": lambda s, x: s.uploads.expired(NOON),
    "upload removed": lambda s, x: s.uploads.remove(x.upload.owner_id, "y"),
    "webhooks by ids": lambda s, x: s.webhooks.by_ids(x.webhook.owner_id, [x.webhook.id, "y"]),
    "webhooks": lambda s, x: s.webhooks.of_owner(x.webhook.owner_id),
    "webhooks counted": lambda s, x: s.webhooks.count(x.webhook.owner_id),
    "webhook changed": lambda s, x: s.webhooks.change(x.webhook.owner_id, x.webhook.id, failures=1),
    "webhook removed": lambda s, x: s.webhooks.remove(x.webhook.owner_id, "y"),
    "delivery by id": lambda s, x: s.deliveries.by_id(x.delivery.owner_id, x.delivery.id),
    "deliveries": lambda s, x: s.deliveries.pages(
        x.delivery.owner_id, [x.webhook.id], Window(5), None
    ),
    "deliveries by status": lambda s, x: s.deliveries.pages(
        x.delivery.owner_id, [x.webhook.id], Window(5, True), DeliveryStatus.PENDING
    ),
    "deliveries of many": lambda s, x: s.deliveries.pages(
        x.delivery.owner_id, [x.webhook.id, "y"], Window(5), DeliveryStatus.PENDING
    ),
    "deliveries counted": lambda s, x: s.deliveries.count_since(
        x.delivery.owner_id, x.webhook.id, "0"
    ),
    "deliveries taken": lambda s, x: s.deliveries.take_due(NOON, NOON, 5),
    "delivery started": lambda s, x: s.deliveries.start(x.delivery.id, NOON, NOON),
    "delivery waits": lambda s, x: s.deliveries.wait(x.delivery, NOON, error="no"),
    "delivery ended": lambda s, x: s.deliveries.end(x.delivery, DeliveryStatus.DELIVERED),
    "delivery again": lambda s, x: s.deliveries.again(
        x.delivery.owner_id, x.delivery.id, NOON, NOON
    ),
    "deliveries forgotten": lambda s, x: s.deliveries.forget_target(x.delivery.owner_id, "y"),
    "old deliveries forgotten": lambda s, x: s.deliveries.forget_before(NOON),
    "users by ids": lambda s, x: s.users.by_ids([x.file.owner_id, "y"]),
} | {
    f"audio files by {field.value}, {'descending' if down else 'ascending'}": (
        _paged(AudioFileOrder(field, down))
    )
    for field in AudioFileOrderField
    for down in (False, True)
}

# A range and conditions on other fields: MongoDB walks the range in the index; the embedded
# server reads the collection.
_FILTERED: dict[str, Use] = {
    "audio files filtered": lambda s, x: s.audio_files.page(
        x.file.owner_id, Window(5), AudioFileOrder(), _FILTER
    ),
    "filtered files counted": lambda s, x: s.audio_files.count(x.file.owner_id, _FILTER),
    "audio file ids filtered": lambda s, x: s.audio_files.ids(x.file.owner_id, _FILTER),
    "words that are known": lambda s, x: s.audio_files.known_words(x.file.owner_id, ["kick"]),
    "items of a batch by status": lambda s, x: s.analyses.page_of_batch(
        x.run.owner_id, x.batch.id, Window(5), _QUEUED
    ),
    "batch moved": lambda s, x: s.analyses.move_batch(
        x.run.owner_id, x.batch.id, _QUEUED, _CANCELLED
    ),
    "file forgotten": lambda s, x: s.analyses.forget_file(x.run.owner_id, x.run.audio_file_id),
}


@pytest.mark.parametrize("use", _SCALAR)
async def test_is_served_by_an_index(
    parts: Parts, stored: Stored, database: Database, use: str
) -> None:
    with recorded_commands() as commands:
        await _SCALAR[use](parts.store, replace(stored))
    reads = list(_reads(commands))
    assert reads
    for read in reads:
        assert "COLLSCAN" not in await _stages(database, read), read


@pytest.mark.parametrize("use", _FILTERED)
async def test_is_served_by_an_index_of_mongodb(
    parts: Parts, stored: Stored, database: Database, use: str
) -> None:
    with recorded_commands() as commands:
        await _FILTERED[use](parts.store, stored)
    found = list(_reads(commands))
    assert found
    for read in found:
        assert is_served(read, await indexes_of(database, read["find"])), read
        if await _is_mongodb(database):
            assert "COLLSCAN" not in await _stages(database, read), read


async def test_a_query_without_an_index_would_be_noticed(database: Database) -> None:
    read = {"find": "audio_files", "filter": {"filename": "kick.wav"}}
    assert "COLLSCAN" in await _stages(database, read)
    assert not is_served(read, await indexes_of(database, "audio_files"))


@pytest.mark.parametrize(
    ("filter_", "sort", "served"),
    [
        ({"key": "x"}, {}, True),
        ({"key": {"$gt": "x"}, "kind": "LOOP"}, {"key": 1}, True),
        ({"key": {"$gt": "x"}}, {"by_tempo": 1}, False),
        ({"kind": "LOOP"}, {"key": 1}, False),
        ({"_id": {"$in": ["x"]}}, {"kind": 1}, True),
        ({"key": {"$ne": "x"}}, {}, False),
        ({"$and": [{"kind": "LOOP"}, {"key": "x"}]}, {}, True),
        ({"$or": [{"key": "x"}, {"kind": "LOOP"}]}, {}, False),
        ({"state": "x"}, {"at": 1}, True),
        ({"state": {"$gt": "x"}}, {"at": 1}, False),
        ({"at": 1}, {}, False),
        ({}, {"key": 1}, False),
    ],
)
def test_what_an_index_serves(filter_: dict, sort: dict, served: bool) -> None:
    read = {"find": "audio_files", "filter": filter_, "sort": sort}
    assert is_served(read, [["_id"], ["key"], ["state", "at"]]) is served


def _reads(commands: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for command in commands:
        yield from reads(command)


async def _stages(database: Database, read: dict[str, Any]) -> list[str]:
    explained = await database.command("explain", read, read_preference=ReadPreference.PRIMARY)
    stages, plan = [], explained["queryPlanner"]["winningPlan"]
    while plan:
        stages.append(plan["stage"])
        plan = plan.get("inputStage")
    assert {"COLLSCAN", "IXSCAN", "IDHACK", "EXPRESS_IXSCAN", "EOF"} & set(stages), explained
    return stages


async def _is_mongodb(database: Database) -> bool:
    explained = await database.command("explain", {"find": "audio_files", "filter": {}})
    return explained["serverInfo"]["host"] != "secantus"
