"""What Kubernetes asks of a pod is answered."""

from typing import Any

import httpx
import pytest

from tests.deploy.test_kubernetes import DEPLOYMENTS, container
from tests.watching.conftest import Watched

PROBES = [
    (name, kind, probe["httpGet"])
    for name in DEPLOYMENTS
    for kind, probe in container(name).items()
    if kind.endswith("Probe")
]


@pytest.mark.parametrize(("name", "kind", "probe"), PROBES)
def test_a_probe_is_answered(watched: Watched, name: str, kind: str, probe: dict[str, Any]):
    url = watched.server.url
    if probe["port"] == "metrics":
        port = watched.metrics_port + (name == "samplemind-worker")
        url = f"http://127.0.0.1:{port}"
    assert httpx.get(url + probe["path"]).status_code == 200
