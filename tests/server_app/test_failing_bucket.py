"""The API over a bucket that fails: a coded answer, and nothing half done."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from samplemind.settings import Settings
from tests.bucket import running_bucket
from tests.faults import BUSY, DROP, STALL, Faults, faulty
from tests.people import Person, open_to_many, registered, served

COUNT = "{ audioFiles { totalCount } }"
DELETE = """mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) {
    deletedId errors { code } } }"""


@pytest.fixture(scope="module")
async def faults() -> AsyncIterator[Faults]:
    with running_bucket() as environment, pytest.MonkeyPatch.context() as patch:
        async with faulty(environment["AWS_ENDPOINT_URL"]) as faults:
            for name, value in {**environment, "AWS_ENDPOINT_URL": faults.url}.items():
                patch.setenv(name, value)
            yield faults


@pytest.fixture(scope="module")
async def http(settings: Settings, faults: Faults) -> AsyncIterator[httpx.AsyncClient]:
    changed = {"blob_url": "s3://sounds", "blob_timeout_seconds": 0.3, "quota_files": 1}
    async for client in served(open_to_many(settings, **changed)):
        yield client


@pytest.mark.parametrize("fault", [BUSY, DROP, STALL])
async def test_says_so_and_leaves_nothing_half_done(
    http: httpx.AsyncClient, faults: Faults, sounds: list[Path], fault: str
) -> None:
    person, content = await registered(http), sounds[0].read_bytes()
    faults.always = fault
    refused = await person.upload(content)
    assert refused["audioFile"] is None
    assert [error["code"] for error in refused["errors"]] == ["UNAVAILABLE"]
    assert await _count(person) == 0

    # Its place among the one that may be stored was given back.
    faults.always = None
    stored = await person.upload(content)
    assert stored["errors"] == []

    faults.always = fault
    id_ = stored["audioFile"]["id"]
    kept = (await person.ask(DELETE, id=id_))["deleteAudioFile"]
    assert kept == {"deletedId": None, "errors": [{"code": "UNAVAILABLE"}]}
    faults.always = None
    assert await _count(person) == 1
    async with httpx.AsyncClient() as client:
        assert (await client.get(stored["audioFile"]["url"])).content == content
    deleted = (await person.ask(DELETE, id=id_))["deleteAudioFile"]
    assert deleted == {"deletedId": id_, "errors": []}


async def _count(person: Person) -> int:
    return (await person.ask(COUNT))["audioFiles"]["totalCount"]
