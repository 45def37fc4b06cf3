"""What an upload and its analysis do with files, some a line: `... child BOUNDS`.

As `samplemind.audio.reader`, with the analysis too, and with what it took.
"""

import dataclasses
import math
import os
import resource
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import orjson

from samplemind.audio.analyze import analyze, warm_up
from samplemind.audio.decode import probe
from samplemind.audio.waveform import peaks
from samplemind.domain.analysis import AnalysisLevel
from samplemind.domain.errors import DomainError
from samplemind.domain.sound_limits import SoundLimits
from samplemind.memory_limit import limit_memory

_MOST_METADATA = 100_000


def main() -> None:
    bounds = orjson.loads(sys.argv[1])
    limits = SoundLimits(**bounds["sound"])
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    warm_up()
    limit_memory(bounds["bytes"])
    answers.write(b'{"ready": true}\n')
    answers.flush()
    for line in sys.stdin.buffer:
        found = []
        for path in orjson.loads(line)["paths"]:
            signal.setitimer(signal.ITIMER_REAL, bounds["seconds"] + 1)
            began = time.perf_counter()
            answer = _through(Path(path), limits)
            answer["seconds"] = time.perf_counter() - began
            answer["kib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found.append(answer)
        signal.setitimer(signal.ITIMER_REAL, 0)
        answers.write(orjson.dumps({"answers": found}) + b"\n")
        answers.flush()


def _through(path: Path, limits: SoundLimits) -> dict[str, Any]:
    """`code`: ACCEPTED, or that of the refusal; `fault`: what no line of ours foresaw."""
    try:
        facts = probe(path, "mutated", limits)
        frames = round(facts.duration_seconds * facts.sample_rate)
        drawn = peaks(path, frames, 400, limits)
        found = analyze(path, AnalysisLevel.DETAILED, limits)
    except DomainError as error:
        return {"code": error.code}
    except Exception as error:
        return {"code": type(error).__name__, "fault": _short(error)}
    values = [*_numbers(dataclasses.asdict(found)), *_numbers(dataclasses.asdict(facts)), *drawn]
    if not all(map(math.isfinite, values)):
        return {"code": "NOT_FINITE", "fault": str(found)[:500]}
    within = (
        facts.duration_seconds <= limits.seconds
        and facts.channels <= limits.channels
        and limits.lowest_rate <= facts.sample_rate <= limits.highest_rate
        and len(orjson.dumps(facts.metadata)) < _MOST_METADATA
    )
    if not within:
        return {"code": "PAST_A_LIMIT", "fault": str(facts)[:500]}
    return {"code": "ACCEPTED"}


def _short(error: Exception) -> str:
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__}: {error} in {last.filename}:{last.lineno}"[:500]


def _numbers(value: Any) -> list[float]:
    match value:
        case bool() | str() | None:
            return []
        case int() | float():
            return [value]
        case dict():
            return [number for inner in value.values() for number in _numbers(inner)]
        case list() | tuple():
            return [number for inner in value for number in _numbers(inner)]
    return []


if __name__ == "__main__":
    main()
