"""A server that is watched: its metrics are read."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.server import Server, running_server


@dataclass(frozen=True)
class Watched:
    server: Server
    metrics_port: int

    def metrics(self, part: str) -> dict[str, Metric]:
        """What the api or the worker tells Prometheus, by name."""
        port = self.metrics_port + (part == "worker")
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status()
        return {each.name: each for each in text_string_to_metric_families(answer.text)}

    def value(self, part: str, sample: str, **labels: str) -> float:
        """Of all samples of that name with these labels together."""
        return sum(
            each.value
            for metric in self.metrics(part).values()
            for each in metric.samples
            if each.name == sample and labels.items() <= each.labels.items()
        )


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory, sounds: list[Path]) -> Iterator[Watched]:
    port = _two_free_ports()
    folder = tmp_path_factory.mktemp("watched")
    with running_server(folder, sounds, SAMPLEMIND_METRICS_PORT=str(port)) as server:
        yield Watched(server, port)


def _two_free_ports() -> int:
    """The first of two that follow each other."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 0)) as first:
            port = first.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 1)):
                return port
