"""How an API process leaves that is told to stop."""

import os
import signal
import subprocess
import time
from pathlib import Path

from samplemind.settings import Settings
from tests.deploy.test_proxy import answers, free_ports, until
from tests.server import HTTP, SAMPLEMIND


def test_it_says_that_it_leaves_and_goes_on_answering_for_a_while(
    settings: Settings, tmp_path: Path
):
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    parts = ("mongo_url", "redis_url", "chroma_url", "blob_url")
    env = {f"SAMPLEMIND_{part.upper()}": getattr(settings, part) for part in parts}
    env |= {"SAMPLEMIND_PORT": str(port), "SAMPLEMIND_DRAIN_SECONDS": "2"}
    env["SAMPLEMIND_DATA_DIR"] = str(tmp_path)
    with subprocess.Popen([SAMPLEMIND, "api"], env=os.environ | env) as process:
        until(lambda: answers(f"{url}/health/ready"))
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        until(lambda: not answers(f"{url}/health/ready"))
        said = HTTP.get(f"{url}/health/ready")
        assert (said.status_code, said.json()) == (503, {"status": "leaving"})
        assert HTTP.post(f"{url}/graphql", json={"query": "{ __typename }"}).status_code == 200
        process.wait(20)
        assert time.monotonic() - told >= 2
