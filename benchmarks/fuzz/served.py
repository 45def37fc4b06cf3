"""Mutated files through a running server: upload, waveform, analysis, as a client asks for them."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psutil

from benchmarks.fuzz.guarded import Material
from benchmarks.fuzz.seeds import FORMATS
from tests.server import Server

_SENDERS = 4
_DONE_SECONDS = 600
_DRAWN = "query ($id: ID!) { node(id: $id) { ... on AudioFile { waveform(points: 400) } } }"
_UNFORESEEN = (
    *("INTERNAL_SERVER_ERROR", "ANALYSIS_FAILED", "WORKER_LOST", "ANALYSIS_TIMEOUT"),
    *("READING_FAILED", "READING_TIMEOUT", "OUT_OF_MEMORY", "UNAVAILABLE"),
)


@dataclass
class Served:
    """What became of the files, by code; `faults` names what must not be."""

    files: int = 0
    uploads: Counter[str] = field(default_factory=Counter)
    analyses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


async def serve_all(server: Server, material: Material, each: int) -> Served:
    """Sends `each` mutations of every format, and waits until all analyses have ended."""
    found = Served()
    before = _processes(server)
    with ThreadPoolExecutor(_SENDERS) as senders:
        for name, code, id_ in senders.map(lambda it: _send(server, *it), _all(material, each)):
            found.files += 1
            found.uploads[code] += 1
            if code in _UNFORESEEN:
                found.faults.append(f"{name}: {code}")
            if id_:
                ended = await asyncio.wait_for(server.analyzed(id_), _DONE_SECONDS)
                failure = (ended["failure"] or {}).get("code", "SUCCEEDED")
                found.analyses[failure] += 1
                if failure in _UNFORESEEN:
                    found.faults.append(f"{name}: {failure}")
    if (after := _processes(server)) != before:
        found.faults.append(f"processes were {before} and are {after}")
    return found


def _all(material: Material, each: int) -> Iterator[tuple[str, bytes]]:
    for number in range(each):
        for form in FORMATS:
            yield f"{form}:{number}", material.mutation(form, number)


def _send(server: Server, name: str, content: bytes) -> tuple[str, str, str | None]:
    """Its name, ACCEPTED or the code of its refusal, and its id where it was accepted."""
    if not content:
        return name, "EMPTY_FILE", None
    payload = server.upload(content, name, level="DETAILED")
    if payload["errors"]:
        return name, payload["errors"][0]["code"], None
    id_ = payload["audioFile"]["id"]
    drawn = server.post(_DRAWN, id=id_).json()
    if errors := drawn.get("errors"):
        return name, errors[0]["extensions"]["code"], id_
    return name, "ACCEPTED", id_


def _processes(server: Server) -> dict[str, Any]:
    """Of the API and of the worker: by name, and the worker's own by id."""
    worker = server.process("worker")
    children = {child.pid for child in psutil.Process(worker.pid).children()}
    return {"api": server.process("api").pid, "worker": worker.pid, "children": children}
