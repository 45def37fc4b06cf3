"""Reading files in processes of their own: what a file does to a decoder, it does to one of them.

A process has one file at a time and a pipe of its own, so that one that dies or hangs takes
nothing with it, and it is known which file that was. Answers are JSON, which can do nothing.
"""

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

import orjson
import structlog

from samplemind.domain.audio_file import AudioFacts
from samplemind.domain.errors import (
    SOUND_ERRORS,
    PartUnavailable,
    ReadingFailed,
    ReadingTimeout,
)
from samplemind.settings import Settings

_log = structlog.get_logger(__name__)

_MOST = 4
_START_SECONDS = 60
# What leaks is given back in time, and a process takes a third of a second to start.
_QUESTIONS_OF_ONE = 1_000
_LONGEST_ANSWER = 4 * 1024**2


class Readers:
    """As many processes as there are cores, 2 to 4; each is started when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.max_reading_seconds
        bounds = {
            "sound": dataclasses.asdict(settings.sound_limits),
            "seconds": self._seconds,
            "bytes": settings.max_process_bytes,
        }
        module = "samplemind.audio.reader"
        self._command = (sys.executable, "-P", "-m", module, orjson.dumps(bounds).decode())
        self._room = asyncio.Semaphore(min(max(os.cpu_count() or 1, 2), _MOST))
        self._idle: list[Reader] = []

    async def warm_up(self) -> None:
        """Starts the first process."""
        async with self._room:
            if not self._idle:
                self._idle.append(await Reader.start(self._command))

    async def facts(self, path: Path, filename: str) -> AudioFacts:
        """What `decode.probe` answers and raises; also raises ReadingTimeout, ReadingFailed."""
        question = {"what": "facts", "path": str(path), "filename": filename}
        answer = await self._ask(question, f"“{filename}”")
        return AudioFacts(**answer["facts"])

    async def peaks(self, path: Path, frames: int, points: int) -> list[float]:
        """What `waveform.peaks` answers and raises; also raises ReadingTimeout, ReadingFailed."""
        question = {"what": "peaks", "path": str(path), "frames": frames, "points": points}
        return (await self._ask(question, "The stored file"))["peaks"]

    async def excerpt(self, path: Path, to: Path, seconds: float) -> float:
        """What `excerpt.write_excerpt` answers and raises; also ReadingTimeout, ReadingFailed."""
        question = {"what": "excerpt", "path": str(path), "to": str(to), "seconds": seconds}
        return (await self._ask(question, "The stored file"))["seconds"]

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().end()

    async def _ask(self, question: dict[str, Any], name: str) -> dict[str, Any]:
        async with self._room:
            waiting = await self._waiting()
            reader = waiting or await Reader.start(self._command)
            answer = await self._one_answer(reader, question, name)
            if answer is None and waiting:
                # It may have been at its end before; in a new one it is the file's doing.
                reader = await Reader.start(self._command)
                answer = await self._one_answer(reader, question, name)
        if answer is None:
            _log.warning("a reader was lost", file=name, how=reader.how_it_ended)
            raise ReadingFailed(
                f"{name} could not be read: its decoder {reader.how_it_ended}. The file is "
                "damaged, or needs more memory than one file may take. Export it again."
            )
        if fault := answer.get("fault"):
            _log.error("a file broke its reader", file=name, fault=fault)
            raise ReadingFailed(f"{name} could not be read: it is damaged. Export it again.")
        if "missing" in answer:
            raise FileNotFoundError(question["path"])
        if error := answer.get("error"):
            raise SOUND_ERRORS[error["code"]](error["message"])
        return answer

    async def _one_answer(
        self, reader: "Reader", question: dict[str, Any], name: str
    ) -> dict[str, Any] | None:
        """None where the process has died over it. Whatever happens, it is kept or ended."""
        answer = None
        try:
            async with asyncio.timeout(self._seconds):
                answer = await reader.answer(question)
        except TimeoutError:
            raise ReadingTimeout(
                f"{name} took longer than {self._seconds:g} s to read, which is given up. "
                "Export it again, as WAV or FLAC, or in parts."
            ) from None
        finally:
            if answer is not None and reader.asked < _QUESTIONS_OF_ONE:
                self._idle.append(reader)
            else:
                await reader.end()
        return answer

    async def _waiting(self) -> "Reader | None":
        while self._idle:
            reader = self._idle.pop()
            if not reader.has_ended:
                return reader
            await reader.end()
        return None


class Reader:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._questions = cast("asyncio.StreamWriter", process.stdin)
        self._answers = cast("asyncio.StreamReader", process.stdout)
        self.asked = 0

    @classmethod
    async def start(cls, command: tuple[str, ...]) -> "Reader":
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_ANSWER,
            env=_environment(),
        )
        reader = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                if await reader._line() is None:
                    raise PartUnavailable("Files cannot be read right now; try again.")
        except BaseException:
            await reader.end()
            raise
        return reader

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    @property
    def how_it_ended(self) -> str:
        code = self._process.returncode or 0
        if code < 0:
            return f"ended by {signal.Signals(-code).name}"
        return "ran out of memory" if code == os.EX_OSERR else f"ended with exit code {code}"

    async def answer(self, question: dict[str, Any]) -> dict[str, Any] | None:
        """None where the process has died over it."""
        self.asked += 1
        try:
            self._questions.write(orjson.dumps(question) + b"\n")
            await self._questions.drain()
        except ConnectionError:
            return None
        return await self._line()

    async def end(self) -> None:
        if not self.has_ended:
            # asyncio's own kill may collect a process that just died, and so lose how it did.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
        # Both pipes closed: else what is left of them outlives the event loop.
        self._questions.close()
        with contextlib.suppress(ConnectionError):
            await self._questions.wait_closed()
        await self._answers.read()
        await self._process.wait()

    async def _line(self) -> dict[str, Any] | None:
        line = await self._answers.readline()
        return orjson.loads(line) if line.endswith(b"\n") else None


def _environment() -> dict[str, str]:
    """Ours without what is nobody's business who reads strangers' files: addresses and secrets."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SAMPLEMIND_", "AWS_"))
    }
    return {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} | kept
