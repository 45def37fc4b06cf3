"""A server that is watched: its metrics are read, its traces received, its logs are JSON lines. The
AI that it asks is a local server."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.ai.answers import SCRIPTS
from tests.ai.producer import Producer
from tests.ai.providers import providers
from tests.server import Server, running_server
from tests.watching.collector import Collector

PARTS = ("api", "worker", "ai")
"""Who tells Prometheus, in the order of their ports."""


@dataclass(frozen=True)
class Watched:
    server: Server
    metrics_port: int
    collector: Collector
    producer: Producer

    def logged(self, part: str, event: str, request_id: str) -> dict[str, Any]:
        """The line of the api or the worker that tells of the event in that request, once it is
        there."""
        folder = self.server.data_dir
        file = folder / "stderr.log" if part == "api" else folder / "logs/worker.log"
        deadline = time.monotonic() + 20
        while True:
            lines = [
                json.loads(line) for line in file.read_text().splitlines() if line.startswith("{")
            ]
            for line in lines:
                if line["event"] == event and line.get("request_id") == request_id:
                    return line
            assert time.monotonic() < deadline, lines[-5:]
            time.sleep(0.02)

    def metrics(self, part: str) -> dict[str, Metric]:
        """What `text` says, by name."""
        return {each.name: each for each in text_string_to_metric_families(self.text(part))}

    def text(self, part: str) -> str:
        """What one of `PARTS` tells Prometheus."""
        port = self.metrics_port + PARTS.index(part)
        return httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status().text

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
    port = _free_ports()
    folder = tmp_path_factory.mktemp("watched")
    with Collector() as collector, providers(SCRIPTS) as played:
        env = {
            "SAMPLEMIND_METRICS_PORT": str(port),
            "SAMPLEMIND_LOG_JSON": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "SAMPLEMIND_OPENAI_URL": f"{played.url}/v1",
            "SAMPLEMIND_AI_PRICES": '{"gpt-4o-mini": [2, 2]}',
        }
        with running_server(folder, sounds, **env) as server:
            yield Watched(server, port, collector, Producer(server, played))


def _free_ports() -> int:
    """The first of three that follow each other."""
    while True:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", 0)) as first:
            port = first.getsockname()[1]
            with (
                socket.create_server(("127.0.0.1", port + 1)),
                socket.create_server(("127.0.0.1", port + 2)),
            ):
                return port
