"""How much memory each process of a running server holds."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.figure import Figure

_MIB = 1024**2
_API_FLOOR_MIB = 300


def memory(supervisor: int, data_dir: Path) -> list[Figure]:
    """RSS of each process in MiB, with PSS (each shared page counted in parts) where it tells."""
    figures = []
    total = 0.0
    for name, process in _named(psutil.Process(supervisor), data_dir):
        with contextlib.suppress(psutil.NoSuchProcess):
            resident = process.memory_info().rss / _MIB
            proportional = _pss(process)
            total += proportional or resident
            note = f"PSS {proportional:.0f} MiB" if proportional else ""
            floor = _API_FLOOR_MIB if name == "api" else None
            figures.append(Figure(f"memory: {name}", "MiB", resident, floor=floor, note=note))
    return [*figures, Figure("memory: all (PSS where known)", "MiB", total)]


def _named(supervisor: psutil.Process, data_dir: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Every process of this server, with the name that the supervisor keeps on record for it."""
    names = {}
    for path in (data_dir / "run").glob("*.json"):
        record = json.loads(path.read_text())
        names[record["pid"]] = record["name"]
    yield "supervisor", supervisor
    for part in supervisor.children():
        name = names.get(part.pid, part.name())
        yield name, part
        for number, child in enumerate(part.children(recursive=True), 1):
            yield f"{name}, process {number}", child


def _pss(process: psutil.Process) -> float | None:
    with contextlib.suppress(psutil.AccessDenied):
        return getattr(process.memory_full_info(), "pss", 0) / _MIB or None
    return None
