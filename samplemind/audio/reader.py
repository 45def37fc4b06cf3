"""A process that reads files for another one, which hostile bytes then cannot harm.

Run as `python -m samplemind.audio.reader BOUNDS`. It says a line when it is ready; then each line
of standard input is a question in JSON, and a line of standard output its answer. It ends when
its standard input does, when a question takes too long, and when its memory has run out.
"""

import dataclasses
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import orjson

from samplemind.audio.decode import probe
from samplemind.audio.excerpt import write_excerpt
from samplemind.audio.waveform import peaks
from samplemind.domain.errors import DomainError
from samplemind.domain.sound_limits import SoundLimits
from samplemind.memory_limit import limit_memory

# Later than whoever asks gives up: this is for when nobody is left to do so.
_GRACE_SECONDS = 1


def main() -> None:
    bounds = orjson.loads(sys.argv[1])
    limits = SoundLimits(**bounds["sound"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # Decoders may print as much as a file makes them.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    limit_memory(bounds["bytes"])
    _send(answers, {"ready": True})
    for line in sys.stdin.buffer:
        # Its default action ends the process also from within a C library.
        signal.setitimer(signal.ITIMER_REAL, bounds["seconds"] + _GRACE_SECONDS)
        try:
            answer = _answer(orjson.loads(line), limits)
        except MemoryError:
            os._exit(os.EX_OSERR)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(answers, answer)


def _answer(question: dict[str, Any], limits: SoundLimits) -> dict[str, Any]:
    path = Path(question["path"])
    try:
        if question["what"] == "facts":
            return {"facts": dataclasses.asdict(probe(path, question["filename"], limits))}
        if question["what"] == "excerpt":
            to = Path(question["to"])
            return {"seconds": write_excerpt(path, to, question["seconds"], limits)}
        found = peaks(path, question["frames"], question["points"], limits)
        return {"peaks": found.tolist()}
    except DomainError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except FileNotFoundError:
        return {"missing": True}
    except MemoryError:
        raise
    except Exception:
        return {"fault": traceback.format_exc()}


def _send(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(orjson.dumps(answer) + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
