"""A backup and its way back, into parts that are new: everything answers as before."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pymongo import MongoClient

from resolvers.scope import Scope
from samplemind.backups.back_up import back_up
from samplemind.backups.copying import Step, silent
from samplemind.backups.prune import prune
from samplemind.backups.restore import check, restore
from samplemind.backups.snapshot import Backup, BackupError
from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id, now
from samplemind.domain.library import AudioFileOrder
from samplemind.domain.paging import Window
from samplemind.domain.user import LOCAL_USER, Role, User
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.settings import Settings
from schema.root import graphql_schema
from tests.bucket import running_bucket
from tests.domain.models import analysis, audio_file, batch_job, embedding, findings, user

QUESTION = """{
    viewer { username totalUploads totalAnalyses webhooks { url } }
    audioFiles(first: 9) { totalCount edges { node {
        id filename tags sha256 analysis { id level labels { name } key { tonic } }
        analyses(first: 5) { edges { node { id status } } }
        similarTo(first: 5) { edges { score node { id } } }
    } } }
    batchJobs(first: 5) { edges { node { id status total completed
        items(first: 5) { edges { node { status } } } } } }
    libraryStats { audioFiles totalBytes }
}"""


@pytest.fixture(scope="module")
async def source(settings: Settings) -> AsyncIterator[Parts]:
    """On documents of their own: a backup holds everybody's."""
    url = settings.mongo_url.replace("/samplemind", f"/backup-{new_id()}")
    folder = Path(settings.blob_url.removeprefix("file://")).with_name("backed-up")
    changed = {"mongo_url": url, "blob_url": folder.as_uri()}
    parts = Parts.open(settings.model_copy(update=changed))
    await parts.store.prepare()
    yield parts
    await parts.close()


@pytest.fixture(scope="module")
async def people(source: Parts) -> list[User]:
    """Two, with three files each, one of which has the same bytes as the other's."""
    made = [user(new_id()) for _ in range(2)]
    for person in made:
        await source.store.users.ensure(person)
        batch = batch_job(person.id, 3, queued=0, completed=3)
        files = [await _stored(source, person.id, number) for number in range(3)]
        runs = [
            analysis(
                person.id,
                file.id,
                level=AnalysisLevel.DETAILED,
                status=AnalysisStatus.SUCCEEDED,
                findings=findings(embedding=embedding(1.0, 0.1 * number)),
                batch_id=batch.id,
                position=number,
            )
            for number, file in enumerate(files)
        ]
        await source.store.analyses.add(runs)
        await source.store.batch_jobs.add(batch)
        for file, run in zip(files, runs, strict=True):
            await source.store.audio_files.set_analysis(run)
            await source.vectors.put(file, run.findings)
    return made


async def _stored(parts: Parts, owner_id: str, number: int) -> AudioFile:
    content = b"sound" * 100_000 * number if number else owner_id.encode()
    digest = hashlib.sha256(content).hexdigest()
    file = audio_file(
        owner_id, filename=f"{number}.wav", sha256=digest, size_bytes=len(content), tags=("a",)
    )
    path = Path(parts.settings.data_dir) / new_id()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    await parts.blobs.put(file.blob_key, path)
    path.unlink()
    return await parts.store.audio_files.add(file)


async def _answers(parts: Parts, people: list[User]) -> list[str]:
    answers = []
    for person in people:
        [stored] = await parts.store.users.by_ids([person.id])
        scope = Scope(parts, stored)
        result = await graphql_schema.execute(QUESTION, context_value=scope)
        assert result.errors is None
        answers.append(json.dumps(result.data))
        for row in (
            await parts.store.audio_files.page(person.id, Window(50), AudioFileOrder())
        ).rows:
            async with parts.blobs.file(row.value.blob_key) as path:
                answers.append(f"{row.value.id} {path.stat().st_size}")
    return answers


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Other servers."""
    with running_parts(tmp_path_factory.mktemp("fresh")) as fresh:
        yield fresh


@pytest.fixture
async def target(fresh: Settings, tmp_path: Path) -> AsyncIterator[Parts]:
    """Where nothing is stored yet."""
    url = fresh.mongo_url.replace("/samplemind", f"/restored-{new_id()}")
    changed = {"mongo_url": url, "blob_url": (tmp_path / "blobs").as_uri()}
    parts = Parts.open(fresh.model_copy(update=changed))
    await parts.store.prepare()
    yield parts
    for owner_id in await parts.store.users.ids():
        await parts.vectors.forget_owner(owner_id)
    await parts.close()


@pytest.fixture
async def place(source: Parts, people: list[User], tmp_path: Path) -> str:
    """A backup of one snapshot."""
    place = str(tmp_path / "backup")
    await back_up(source, place)
    return place


def _files(place: str) -> list[Path]:
    return [path for path in Path(place).rglob("*") if path.is_file()]


def _of(place: str, name: str) -> Path:
    [path] = [path for path in _files(place) if path.name == name]
    return path


class TestRoundTrip:
    async def test_answers_as_before(
        self, source: Parts, people: list[User], place: str, target: Parts
    ):
        before = await _answers(source, people)
        assert '"score"' in before[0]
        name, manifest = await restore(target, place)
        assert await _answers(target, people) == before
        assert (manifest.files, manifest.copied, manifest.lost) == (6, 6, ())
        assert await Backup(place, 1).snapshots() == [name]
        # And what is backed up of what was restored is the same again.
        _, again = await back_up(target, f"{place}-again")
        counts = [
            {each: found.documents for each, found in made.collections.items() if found.documents}
            for made in (manifest, again)
        ]
        assert counts[0] == counts[1]

    async def test_goes_through_buckets(
        self, source: Parts, people: list[User], fresh: Settings, monkeypatch: pytest.MonkeyPatch
    ):
        before = await _answers(source, people)
        with running_bucket() as environment:
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            await back_up(source, "s3://sounds/kept")
            url = fresh.mongo_url.replace("/samplemind", f"/restored-{new_id()}")
            changed = {"mongo_url": url, "blob_url": "s3://sounds"}
            target = Parts.open(fresh.model_copy(update=changed))
            await restore(target, "s3://sounds/kept")
            assert await _answers(target, people) == before
            await target.close()

    async def test_makes_the_first_account_the_same_again(
        self, source: Parts, place: str, target: Parts
    ):
        """An API that has started on empty parts has stored its local user already."""
        local = User(LOCAL_USER, LOCAL_USER, None, Role.ADMIN, now())
        await target.store.users.ensure(local)
        first = User(new_id(), "Ada", "ada@example.org", Role.ADMIN, now())
        await source.store.users.ensure(local)
        await source.store.users.register(first, "hash")
        await back_up(source, place)
        await restore(target, place)
        [restored] = await target.store.users.by_ids([LOCAL_USER])
        assert restored
        assert (restored.username, restored.email) == ("Ada", "ada@example.org")


class TestSnapshots:
    async def test_copy_what_is_new_alone(self, source: Parts, place: str, people: list[User]):
        added = await _stored(source, people[0].id, 7)
        _, manifest = await back_up(source, place)
        assert (manifest.files, manifest.copied) == (7, 1)
        assert len(await Backup(place, 1).snapshots()) == 2
        await source.store.audio_files.remove(people[0].id, added.id)

    async def test_that_are_older_are_restored_by_name(
        self, source: Parts, place: str, people: list[User], target: Parts
    ):
        [older] = await Backup(place, 1).snapshots()
        added = await _stored(source, people[0].id, 8)
        await back_up(source, place)
        await source.store.audio_files.remove(people[0].id, added.id)
        await restore(target, place, older)
        assert await target.store.audio_files.by_ids(people[0].id, [added.id]) == [None]
        with pytest.raises(BackupError, match="There is no snapshot other; there are 2"):
            await restore(target, place, "other")

    async def test_that_are_older_go_with_what_they_alone_hold(
        self, source: Parts, place: str, people: list[User], target: Parts
    ):
        before = await _answers(source, people)
        added = await _stored(source, people[0].id, 11)
        await back_up(source, place)
        assert await prune(source, place, 2) == 0
        await source.store.audio_files.remove(people[0].id, added.id)
        name, _ = await back_up(source, place)
        assert await prune(source, place, 1) == 1
        assert await Backup(place, 1).snapshots() == [name]
        assert not any(path.name == added.sha256 for path in _files(place))
        await restore(target, place)
        assert await _answers(target, people) == before

    async def test_leave_out_a_sound_whose_bytes_are_gone_or_damaged(
        self, source: Parts, people: list[User], tmp_path: Path, target: Parts
    ):
        place, owner = str(tmp_path / "backup"), people[0].id
        gone, damaged = await _stored(source, owner, 9), await _stored(source, owner, 10)
        path = source.blobs.path(damaged.blob_key)
        assert path
        path.write_bytes(b"other")
        await source.blobs.remove(gone.blob_key)
        _, manifest = await back_up(source, place)
        assert manifest.lost == tuple(sorted([gone.blob_key, damaged.blob_key]))
        assert manifest.files == 6
        await restore(target, place)
        ids = [gone.id, damaged.id]
        assert await target.store.audio_files.by_ids(owner, ids) == [None, None]
        assert await target.store.audio_files.count(owner) == 3
        for each in (gone, damaged):
            await source.store.audio_files.remove(owner, each.id)

    async def test_that_broke_off_are_none(self, source: Parts, people: list[User], tmp_path: Path):
        place = str(tmp_path / "backup")
        working = asyncio.create_task(back_up(source, place))
        while not any(len(path.name) == 64 for path in _files(place)):
            await source.store.version()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        with pytest.raises(BackupError, match="There is no snapshot"):
            await check(source, place)
        # What was copied serves the next.
        _, manifest = await back_up(source, place)
        assert manifest.copied < manifest.files == 6
        await check(source, place)


async def test_what_is_deleted_meanwhile_is_left_out(
    source: Parts, people: list[User], tmp_path: Path, target: Parts
) -> None:
    """Between the rows and the bytes: no row points to nothing, and nothing is lost."""
    owner, place = people[1].id, str(tmp_path / "backup")
    file = await _stored(source, owner, 12)
    path, database = source.blobs.path(file.blob_key), source.store._database.name
    assert path

    def stage(doing: str, files: int, size: int) -> AbstractContextManager[Step]:
        if doing == "Sounds":
            path.unlink()
            with MongoClient(source.settings.mongo_url, directConnection=True) as client:
                client[database]["audio_files"].delete_one({"_id": file.id})
        return silent(doing, files, size)

    _, manifest = await back_up(source, place, stage)
    assert (manifest.files, manifest.lost, manifest.deleted) == (6, (), (file.blob_key,))
    await restore(target, place)
    assert await target.store.audio_files.by_ids(owner, [file.id]) == [None]
    assert await target.store.audio_files.count(owner) == 3


class TestRefusals:
    async def test_of_what_is_not_empty(self, source: Parts, place: str):
        with pytest.raises(BackupError, match="--force"):
            await restore(source, place)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda text: text.replace('"files": 6', '"files": 5'), "manifest is damaged"),
            (lambda text: text[: len(text) // 2], "manifest is damaged"),
            (lambda text: text.replace('"format": 1', '"format": 2'), "upgrade this one"),
            (lambda text: "[]", "manifest is damaged"),
        ],
    )
    async def test_of_a_manifest_that_is_not_as_it_was_written(
        self, place: str, target: Parts, change: Callable[[str], str], said: str
    ):
        path = _of(place, "manifest.json")
        path.write_text(change(path.read_text()))
        with pytest.raises(BackupError, match=said):
            await restore(target, place)
        assert await target.store.raw.is_empty()

    async def test_of_documents_that_are_not_as_they_were_written(self, place: str, target: Parts):
        path = _of(place, "analyses.bson.gz")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        for work in (restore, check):
            with pytest.raises(BackupError, match="analyses is damaged"):
                await work(target, place)
        path.unlink()
        with pytest.raises(BackupError, match="analyses is missing"):
            await restore(target, place)
        assert await target.store.raw.is_empty()

    @pytest.mark.parametrize("how", ["damaged", "missing"])
    async def test_of_a_sound_that_is_not_as_it_was_written(
        self, place: str, target: Parts, people: list[User], how: str
    ):
        [path, *_] = [each for each in _files(place) if "blobs" in each.parts]
        content = path.read_bytes()
        path.unlink() if how == "missing" else path.write_bytes(b"x" * len(content))
        for work in (check, restore):
            with pytest.raises(BackupError, match=f"bytes of a sound are {how}"):
                await work(target, place)
        # No row points to nothing: there are none.
        assert await target.store.raw.is_empty()
        # What broke off is done again.
        path.write_bytes(content)
        await restore(target, place)
        assert await target.store.audio_files.count(people[0].id) == 3

    async def test_of_a_later_schema(self, source: Parts, place: str, target: Parts):
        later = {"$set": {"version": 99}}
        await source.store.schema._schema.update_one({"_id": "schema"}, later)
        await back_up(source, place)
        await source.store.schema._schema.update_one({"_id": "schema"}, {"$set": {"version": 2}})
        with pytest.raises(BackupError, match="later SampleMind"):
            await restore(target, place)


async def test_what_broke_off_among_the_rows_is_done_again_by_force(
    source: Parts, people: list[User], place: str, target: Parts
) -> None:
    before = await _answers(source, people)
    working = asyncio.create_task(restore(target, place))
    while await target.store.raw.is_empty():
        pass
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    with pytest.raises(BackupError, match="--force"):
        await restore(target, place)
    await restore(target, place, force=True)
    assert await _answers(target, people) == before


async def test_older_documents_are_migrated(place: str, target: Parts) -> None:
    """A backup of before an upgrade, restored after it."""
    local = {"_id": LOCAL_USER, "username": LOCAL_USER, "role": "ADMIN", "created_at": now()}
    await target.store._database["users"].insert_one({**local, "email": None})
    await target.store.schema._schema.update_one({"_id": "schema"}, {"$set": {"version": 0}})
    await back_up(target, f"{place}-older")
    await target.store._database["users"].delete_many({})
    await target.store.schema.migrate()
    await restore(target, f"{place}-older")
    [row] = await target.store._database["users"].find({}).to_list(None)
    assert row["claim"] == "local:free"
