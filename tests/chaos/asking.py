"""What the tests ask of the API, which may be away for a moment."""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from samplemind.cli.repair import repaired
from samplemind.parts import Parts
from tests.chaos.cluster import Cluster
from tests.server import SAMPLEMIND

_PATIENCE_SECONDS = 80

_BATCH = """query ($id: ID!) { node(id: $id) { ... on BatchJob {
    status total completed failed
    items(first: 100) { edges { node { status analysis { id status } audioFile { id } } } }
} } }"""


def until(what: Callable[[], Any]) -> Any:
    """Asks again and again, until the answer is truthy; whoever is asked may be away."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    last: object = None
    while time.monotonic() < deadline:
        try:
            if last := what():
                return last
        except (httpx.TransportError, AssertionError, ValueError) as error:
            last = error
        time.sleep(0.1)
    raise AssertionError(f"not in {_PATIENCE_SECONDS} s; the last was {last!r}")


def make_batch(cluster: Cluster, ids: list[str]) -> str:
    payload = cluster.server.ask(
        """mutation ($ids: [ID!]!) { createBatchJob(input: {audioFileIds: $ids, level: STANDARD}) {
            batchJob { id } errors { code message } } }""",
        ids=ids,
    )["createBatchJob"]
    assert payload["errors"] == []
    return payload["batchJob"]["id"]


def batch(cluster: Cluster, id_: str) -> dict[str, Any]:
    return cluster.server.ask(_BATCH, id=id_)["node"]


def ended(cluster: Cluster, id_: str) -> dict[str, Any]:
    """The batch when it has ended."""

    def ask() -> dict[str, Any] | None:
        found = batch(cluster, id_)
        return found if found["status"] not in ("QUEUED", "RUNNING") else None

    return until(ask)


def findings(cluster: Cluster) -> list[dict[str, Any]]:
    """What `doctor --repair` finds and mends, of whatever age: what it does, without its start."""

    async def found() -> list[dict[str, Any]]:
        parts = Parts.open(cluster.settings)
        try:
            return await repaired(parts, timedelta(0))
        finally:
            await parts.close()

    return asyncio.run(found())


def doctors_findings(cluster: Cluster) -> list[dict[str, Any]]:
    """The same by the command, to which everything is well."""
    for name in cluster.running:
        # A worker says that it is there from time to time.
        cluster.wait(name)
    command = [SAMPLEMIND, "doctor", "--repair", "--older-than", "0", "--json"]
    command += ["--url", cluster.server.url]
    done = subprocess.run(
        command, env=cluster.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["findings"]
