"""One file's analysis as a JSON object, and a process that makes such objects.

Run as `python -m samplemind.cli.listening LEVEL`: a path as a JSON string comes in on each line
of standard input, its object goes out as a line of standard output.
"""

import dataclasses
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import AnalysisLevel, Findings
from samplemind.domain.audio_file import AudioFacts
from samplemind.domain.errors import DomainError


def listen(path: Path, level: AnalysisLevel) -> dict[str, Any]:
    """What the file holds, named as in the GraphQL type Analysis, or a `failure`."""
    try:
        from samplemind.audio.analyze import describe

        started = time.perf_counter()
        facts, findings = describe(path, level)
        seconds = time.perf_counter() - started
    except DomainError as error:
        return failure(path, error.code, error.message)
    except OSError as error:
        return failure(path, "UNREADABLE", error.strerror or str(error))
    except Exception as error:
        return failure(path, "ANALYSIS_FAILED", f"{type(error).__name__}: {error}")
    return {
        "path": str(path),
        **_facts(facts),
        **_findings(findings),
        "level": level,
        "engineVersion": ENGINE_VERSION,
        "processingSeconds": round(seconds, 3),
    }


def failure(path: Path, code: str, message: str) -> dict[str, Any]:
    return {"path": str(path), "failure": {"code": code, "message": message}}


def _facts(facts: AudioFacts) -> dict[str, Any]:
    return {
        "format": facts.format,
        "durationSeconds": facts.duration_seconds,
        "sampleRate": facts.sample_rate,
        "channels": facts.channels,
    }


def _findings(findings: Findings) -> dict[str, Any]:
    values = dataclasses.asdict(findings)
    del values["fingerprint"]
    named = _in_camel_case(values)
    if key := findings.key:
        named["key"] |= {"camelot": key.camelot, "openKey": key.open_key}
    if pitch := findings.pitch:
        named["pitch"]["cents"] = pitch.cents
    named["absences"] = [
        {"field": each.field, "code": each.code, "message": each.message}
        for each in findings.absences
    ]
    return named


def _in_camel_case(value: Any) -> Any:
    """Names as in the API: rolloff_hz is rolloffHz."""
    match value:
        case dict():
            return {_camel(name): _in_camel_case(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_in_camel_case(inner) for inner in value]
        case _:
            return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def main() -> None:
    level = AnalysisLevel(sys.argv[1])
    # Decoders may print: nothing but our lines may reach the real standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        print(json.dumps(listen(Path(json.loads(line)), level)), file=answers, flush=True)


if __name__ == "__main__":
    main()
