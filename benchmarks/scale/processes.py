"""API and worker processes on databases that run already."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from samplemind.settings import Settings
from tests.server import SAMPLEMIND

# Numerical libraries would take every core from each process.
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB", "NUMEXPR")
}
_START_SECONDS = 120


@contextlib.contextmanager
def api(settings: Settings, **given: str) -> Iterator[tuple[str, int]]:
    """The address of an API process, without a path, and its pid."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    env = {"SAMPLEMIND_PORT": str(port), "SAMPLEMIND_RATE_LIMIT": "0", **given}
    with _running(settings, "api", env) as process:
        _wait(process, lambda: httpx.get(f"{url}/health/ready", timeout=10).is_success)
        yield url, process.pid


@contextlib.contextmanager
def worker(settings: Settings, processes: int, url: str) -> Iterator[int]:
    """The pid of a worker with so many processes of analysis, which the API at `url` sees."""

    def answers() -> bool:
        health = httpx.get(f"{url}/api/v1/health", timeout=10).json()
        return health["parts"]["worker"]["status"] == "up"

    env = {"SAMPLEMIND_WORKERS": str(processes), **ONE_THREAD}
    with _running(settings, "worker", env) as process:
        _wait(process, answers)
        yield process.pid


@contextlib.contextmanager
def _running(
    settings: Settings, command: str, env: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    addresses = {
        f"SAMPLEMIND_{name.upper()}": str(getattr(settings, name))
        for name in ("mongo_url", "redis_url", "chroma_url", "blob_url", "data_dir")
    }
    log = Path(settings.data_dir) / f"{command}.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [SAMPLEMIND, command],
            env={**os.environ, **addresses, **env},
            stdout=errors,
            stderr=errors,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], answers) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(httpx.HTTPError, KeyError):
            if answers():
                return
        assert process.poll() is None, "it did not start"
        assert time.monotonic() < deadline, "it does not answer"
        time.sleep(0.1)
