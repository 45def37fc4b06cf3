"""The figures as a table and as JSON."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import psutil

from benchmarks.figure import Figure


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 1024**3, 1),
        "loadAverage": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }


def as_json(machine: dict[str, Any], figures: Sequence[Figure]) -> dict[str, Any]:
    return {
        "machine": machine,
        "figures": [asdict(figure) | {"isGood": figure.is_good} for figure in figures],
    }


def as_table(machine: dict[str, Any], figures: Sequence[Figure]) -> str:
    rows = [("", "median", "least", "most", "n", "floor", "")]
    rows += [
        (
            figure.name,
            f"{_number(figure.value)} {figure.unit}",
            _number(figure.least),
            _number(figure.most),
            str(figure.count),
            "" if figure.floor is None else f"< {figure.floor:g} {figure.unit}",
            "; ".join(filter(None, (_verdict(figure), figure.note))),
        )
        for figure in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, 6) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([", ".join(f"{key} {value}" for key, value in machine.items()), "", *lines])


def _verdict(figure: Figure) -> str:
    if figure.floor is None:
        return ""
    return "good" if figure.is_good else "MISSED"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"
