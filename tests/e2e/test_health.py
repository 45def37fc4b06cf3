"""Health over HTTP, for people, load balancers and orchestrators."""

import pytest

from samplemind import __version__
from tests.server import HTTP, Server


def test_every_part_with_its_version_and_latency(server: Server):
    answer = HTTP.get(f"{server.url}/api/v1/health")
    assert answer.status_code == 200
    health = answer.json()
    assert health["status"] == "up"
    assert health["version"] == __version__
    assert set(health["parts"]) == {"documents", "events", "vectors", "blobs", "worker"}
    for name, part in health["parts"].items():
        assert part["status"] == "up", (name, part)
        assert part["version"], name
        assert 0 <= part["latencyMs"] < 3_000, name
        assert part["advice"] is None
    assert health["parts"]["blobs"]["version"] == "file"
    assert health["parts"]["worker"]["version"].startswith(__version__)


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize(("path", "status"), [("live", "live"), ("ready", "ready")])
def test_probes(server: Server, prefix: str, path: str, status: str):
    answer = HTTP.get(f"{server.url}{prefix}/health/{path}")
    assert answer.status_code == 200
    assert answer.json() == {"status": status}
