"""Documents of an older SampleMind, and the way to the present version."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from bson import json_util

from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus, Lane, Mode, SampleKind
from samplemind.domain.ids import new_id, now
from samplemind.domain.library import AudioFileFilter, KeyName, Range
from samplemind.domain.user import LOCAL_USER, Role, User
from samplemind.parts import Parts
from samplemind.refusal import CannotStart
from samplemind.settings import Settings
from samplemind.store.database import Database
from samplemind.store.migrations import CURRENT, STEPS, Schema, SchemaTooNew, migrated
from samplemind.store.places import Stage
from tests.cli.commands import samplemind
from tests.domain.models import analysis, batch_job, findings

# Made by the SampleMind of that day.
_OLDER = Path(__file__).parent / "older"


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    url = settings.mongo_url.replace("/samplemind", f"/older-{new_id()}")
    parts = Parts.open(settings.model_copy(update={"mongo_url": url}))
    yield parts
    await parts.store._database.client.drop_database(parts.store._database.name)
    await parts.close()


@pytest.fixture
def database(parts: Parts) -> Database:
    return parts.store._database


@pytest.fixture
async def older(database: Database) -> dict[str, str]:
    """The documents of 2026-11-23; files by name."""
    collections = json_util.loads((_OLDER / "2026-11-23.json").read_text())
    for name, documents in collections.items():
        await database[name].insert_many(documents)
    return {each["filename"]: each["_id"] for each in collections["audio_files"]}


class TestOlderDocuments:
    async def test_are_brought_to_the_present(
        self, parts: Parts, older: dict[str, str], database: Database
    ):
        await parts.store.prepare()
        assert await parts.store.schema.version() == CURRENT
        standing = {
            name: (await database["audio_files"].find_one({"_id": id_}) or {}).get("standing")
            for name, id_ in older.items()
        }
        depths = {name: each and each.partition(":")[0] for name, each in standing.items()}
        assert depths == {"kick.wav": "2", "loop.wav": "2", "pad.wav": "0", "new.wav": None}

    async def test_keep_the_deepest_analysis(
        self, parts: Parts, older: dict[str, str], database: Database
    ):
        """Which one that asked less, and came later, replaced."""
        await parts.store.prepare()
        id_ = older["kick.wav"]
        [before] = await parts.store.audio_files.by_ids(LOCAL_USER, [id_])
        later = analysis(LOCAL_USER, id_, level=AnalysisLevel.BASIC, findings=findings())
        await parts.store.audio_files.set_analysis(later)
        assert await parts.store.audio_files.by_ids(LOCAL_USER, [id_]) == [before]

    async def test_are_those_of_who_registers_first(self, parts: Parts, older: dict[str, str]):
        await parts.store.prepare()
        await parts.store.users.ensure(User(LOCAL_USER, LOCAL_USER, None, Role.ADMIN, now()))
        ada = User(new_id(), "Ada", "ada@example.org", Role.USER, now())
        first = await parts.store.users.register(ada, "hash")
        assert first
        assert (first.id, first.role) == (LOCAL_USER, Role.ADMIN)
        assert await parts.store.audio_files.count(first.id) == len(older)

    async def test_what_was_under_way_has_its_place(self, parts: Parts, database: Database):
        batch = batch_job(LOCAL_USER, 1)
        await parts.store.batch_jobs.add(batch)
        item, alone = (
            analysis(LOCAL_USER, new_id(), **fields)
            for fields in ({"batch_id": batch.id, "position": 0}, {})
        )
        running = analysis(LOCAL_USER, new_id(), status=AnalysisStatus.RUNNING)
        await parts.store.analyses.add([item, alone, running])
        # As they were.
        await database["batch_jobs"].update_many({}, {"$unset": {"epoch": "", "counting": ""}})
        for run in (item, alone, running):
            change = {"$unset": {"lane": "", "place": "", "placed_at": ""}}
            change |= {"$set": {"pending": run.id}}
            await database["analyses"].update_one({"_id": run.id}, change)
        await parts.store.prepare()
        places = parts.store.places
        assert await places.claim(Lane.BATCH, LOCAL_USER, 5) == [item.id]
        assert await places.claim(Lane.INTERACTIVE, LOCAL_USER, 5) == [alone.id]
        later = now() + timedelta(seconds=5)
        assert [each.id for each in await places.since_before(Stage.RUNNING, later)] == [running.id]
        assert await parts.store.batch_jobs.advance(batch.id, 0, {"queued": -1}, None)

    async def test_are_found_by_their_loudness(
        self, parts: Parts, older: dict[str, str], database: Database
    ):
        quiet = AudioFileFilter(loudness=Range(None, 0.0))
        assert await parts.store.audio_files.ids(LOCAL_USER, quiet) == []
        await parts.store.prepare()
        found = await parts.store.audio_files.ids(LOCAL_USER, quiet)
        assert found
        due = {each.audio_file_id for each in await parts.store.vector_syncs.oldest(100)}
        assert set(found) <= due <= set(older.values())

    async def test_are_found_by_what_they_are(
        self, parts: Parts, older: dict[str, str], database: Database
    ):
        await database["audio_files"].update_one(
            {"_id": older["kick.wav"]}, {"$set": {"tags": ["é 8"]}}
        )
        await parts.store.prepare()
        analyzed = {older[name] for name in ("kick.wav", "loop.wav", "pad.wav")}
        for filter_, files in (
            (AudioFileFilter(kinds=(SampleKind.LOOP,)), analyzed),
            (AudioFileFilter(kinds=(SampleKind.TRACK,)), set()),
            (AudioFileFilter(labels=("kick", "bass")), analyzed),
            (AudioFileFilter(keys=(KeyName("A", Mode.MINOR),)), analyzed),
            (AudioFileFilter(tags=("é 8",)), {older["kick.wav"]}),
            (AudioFileFilter(search="pad"), {older["pad.wav"]}),
        ):
            assert set(await parts.store.audio_files.ids(LOCAL_USER, filter_)) == files
            assert set(await parts.store.audio_files.few(LOCAL_USER, filter_) or ()) == files

    async def test_stay_as_they_are_the_second_time(
        self, parts: Parts, older: dict[str, str], database: Database
    ):
        await parts.store.prepare()
        for name in ("audio_files", "users", "analyses", "batch_jobs"):
            before = await database[name].find({}).sort("_id").to_list(None)
            for step in STEPS:
                await step(database)
            assert await database[name].find({}).sort("_id").to_list(None) == before


async def test_an_account_is_not_made_free(database: Database) -> None:
    """The first account, of which a later version says nothing."""
    ada = {"_id": LOCAL_USER, "username": "Ada", "password_hash": "hash"}
    await database["users"].insert_one(ada)
    await Schema(database).migrate()
    assert await database["users"].find_one({}) == ada


class TestMigrate:
    async def test_is_done_once_by_however_many_start(self, database: Database):
        done = []

        async def step(_: Database) -> None:
            done.append("begun")
            await asyncio.sleep(0.2)
            done.append("ended")

        schemas = [Schema(database, (step, step)) for _ in range(5)]
        assert await asyncio.gather(*(each.migrate() for each in schemas)) == [2] * 5
        assert done == ["begun", "ended"] * 2

    async def test_goes_on_where_it_broke_off(self, database: Database):
        done = []

        async def first(_: Database) -> None:
            done.append(1)

        async def second(_: Database) -> None:
            done.append(2)
            if len(done) == 2:
                raise ConnectionError

        schema = Schema(database, (first, second))
        with pytest.raises(ExceptionGroup):
            await schema.migrate()
        assert await schema.version() == 1
        assert await schema.migrate() == 2
        assert done == [1, 2, 2]

    async def test_does_not_wait_for_who_died_over_it(self, database: Database):
        schema = Schema(database, (lambda _: asyncio.sleep(0),))
        held = {"_id": "schema", "version": 0, "lock": "another", "until": now()}
        await database["schema"].insert_one({**held, "until": now() + timedelta(seconds=30)})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await schema.migrate()
        await database["schema"].replace_one({"_id": "schema"}, held)
        assert await schema.migrate() == 1

    async def test_refuses_what_a_later_version_made(self, parts: Parts, database: Database):
        await parts.store.prepare()
        await database["schema"].update_one({}, {"$set": {"version": CURRENT + 1}})
        with pytest.raises(SchemaTooNew, match="run the later one"):
            await parts.store.prepare()


async def test_no_process_starts_on_what_a_later_version_made(
    parts: Parts, settings: Settings, database: Database
) -> None:
    await parts.store.prepare()
    await database["schema"].update_one({}, {"$set": {"version": CURRENT + 1}})
    addresses = {
        f"SAMPLEMIND_{name.upper()}": getattr(parts.settings, name)
        for name in ("mongo_url", "redis_url", "chroma_url", "blob_url")
    }
    for command in ("api", "worker"):
        done = await asyncio.to_thread(samplemind, command, SAMPLEMIND_PORT="0", **addresses)
        assert done.returncode == 1
        assert f"The documents are of version {CURRENT + 1}" in done.stderr
        assert "Traceback" not in done.stderr


async def test_nobody_waits_for_ever_for_documents() -> None:
    with pytest.raises(CannotStart, match="do not answer in"):
        await migrated("mongodb://127.0.0.1:1/none?serverSelectionTimeoutMS=50", 0.2)
