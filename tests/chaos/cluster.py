"""All parts, an API and workers as processes of their own, each of which can be killed, stopped and
started again, with nobody who starts them by himself."""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from samplemind.local.catalogue import databases, processes
from samplemind.local.child import Child
from samplemind.local.part import Part
from samplemind.settings import Settings
from tests.server import HTTP, Server

_READY_SECONDS = 60
_STOP_SECONDS = 30


class Cluster:
    """Parts by name: documents, events, vectors, api, worker, worker-2."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        for name in ("logs", "run"):
            (folder / name).mkdir(parents=True)
        port = _free_port()
        addresses = {"mongo_url": "", "redis_url": "", "chroma_url": "", "blob_url": ""}
        given = {**addresses, "data_dir": folder, "port": port}
        self.settings, parts = databases(Settings().model_copy(update=given))
        worker, api = processes(self.settings)
        told = {**worker.environment, **environment}
        self._parts = {part.name: part for part in parts}
        for part, names in ((worker, ("worker", "worker-2")), (api, ("api",))):
            for name in names:
                self._parts[name] = Part(
                    name, part.command, part.check, part.program, part.address, environment=told
                )
        self._folder = folder
        self._children: dict[str, Child] = {}
        self.server = Server(f"http://127.0.0.1:{port}", folder, os.getpid(), [])

    @property
    def names(self) -> list[str]:
        """What `running_cluster` starts, in the order that it takes."""
        return ["documents", "events", "vectors", "api", "worker"]

    @property
    def running(self) -> list[str]:
        return list(self._children)

    def start(self, *names: str) -> None:
        """All at once; waits until they answer."""
        for name in names:
            child = Child(self._parts[name], self._folder, f"chaos-{os.getpid()}")
            child.start()
            self._children[name] = child
        for name in names:
            self.wait(name)

    def wait(self, name: str) -> None:
        """Until it answers; the API also where another part is away."""
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                self._check(name)
            except OSError:
                assert time.monotonic() < deadline, self.log(name)[-3_000:]
                time.sleep(0.05)
            else:
                return

    def _check(self, name: str) -> None:
        if name == "api":
            try:
                HTTP.get(f"{self.server.url}/health/live", timeout=2)
            except httpx.TransportError as error:
                raise OSError from error
        else:
            self._parts[name].check()

    def kill(self, *names: str) -> None:
        """kill -9 of them and of all their processes, at once."""
        for name in names:
            psutil.Process(self._children[name].process.pid).suspend()
        for name in names:
            self._children.pop(name).end_group()

    def stop(self, *names: str) -> float:
        """As an operator does (SIGTERM); answers how many seconds it took."""
        began = time.monotonic()
        for name in names:
            child = self._children.pop(name)
            child.process.terminate()
            child.process.wait(_STOP_SECONDS)
            child.end_group()
        return time.monotonic() - began

    def log(self, name: str) -> str:
        return (self._folder / "logs" / f"{name}.log").read_text(errors="replace")

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(self._children[name].process.pid)

    def close(self) -> None:
        order = ("api", "worker", "worker-2", "vectors", "events", "documents")
        self.kill(*[name for name in order if name in self._children])

    @property
    def environment(self) -> dict[str, str]:
        """In which commands find the parts."""
        names = ("mongo_url", "redis_url", "chroma_url", "blob_url", "data_dir")
        values = {name: str(getattr(self.settings, name)) for name in names}
        return {**os.environ, **{f"SAMPLEMIND_{name.upper()}": values[name] for name in names}}


@contextmanager
def running_cluster(folder: Path, **environment: str) -> Iterator[Cluster]:
    """With one API and one worker; `environment` is theirs."""
    cluster = Cluster(folder, environment)
    try:
        cluster.start("documents", "events", "vectors")
        cluster.start("api", "worker")
        yield cluster
    finally:
        cluster.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
