"""What all tests stand on: real databases, and a real server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from samplemind.domain.ids import new_id
from samplemind.jobs.app import app as celery
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store.database import connect
from tests.library import library
from tests.server import Server, running_server
from tests.store.commands import every_read, indexes_of
from tests.store.planning import is_served

# What shares servers or installed programs; the rest shares what every process has.
_TOGETHER = ("ai", "chaos", "conformance/clients", "conformance/http", "deploy", "watching")


class _Together(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0].removeprefix("tests/")
        return next((each for each in _TOGETHER if file.startswith(f"{each}/")), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Where processes share the tests (pytest-xdist), those of a file stay together, and those of
    a folder that shares what is dear."""
    return _Together(config, log)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The databases alone, without an API or a worker."""
    with running_parts(tmp_path_factory.mktemp("parts")) as settings:
        celery.conf.update(broker_url=settings.redis_url)
        yield settings


@pytest.fixture(scope="session")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    parts = Parts.open(settings)
    await parts.store.prepare()
    yield parts
    await _see_that_indexes_serve(settings)
    await parts.close()


async def _see_that_indexes_serve(settings: Settings) -> None:
    """Everything that any test has made this process ask the documents, but for what is asked
    without a condition: that is meant to read everything."""
    client, database = connect(settings.mongo_url)
    scans = [
        read
        for read in every_read()
        if read.get("filter") and not is_served(read, await indexes_of(database, read["find"]))
    ]
    client.close()
    assert scans == [], "MongoDB would read these collections whole"


@pytest.fixture
def owner_id() -> str:
    """An owner of its own for each test: nobody meets another's rows."""
    return new_id()


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A small library on disk: drums, loops and tones; real ones where they are installed."""
    return library(tmp_path_factory.mktemp("sounds"))


@pytest.fixture(scope="session")
async def server(
    tmp_path_factory: pytest.TempPathFactory, sounds: list[Path]
) -> AsyncIterator[Server]:
    """`samplemind serve`, whose library holds `sounds`, analysed at level DETAILED."""
    quick = {"SAMPLEMIND_DELIVERY_WAIT_SECONDS": "1"}
    with running_server(tmp_path_factory.mktemp("server"), sounds, **quick) as server:
        for sound in sounds:
            assert server.upload(sound)["errors"] == []
        batch = await server.batch(filter={}, level="DETAILED")
        assert batch["status"] == "SUCCEEDED"
        yield server
