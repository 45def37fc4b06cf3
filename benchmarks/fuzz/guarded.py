"""Mutated files through the code of upload and analysis, in processes bound as the server's are."""

import asyncio
import contextlib
import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import orjson

from benchmarks.fuzz.mutate import mutated
from benchmarks.fuzz.seeds import FORMATS, seeds
from samplemind.readers import Reader
from samplemind.settings import Settings

TOOK_TOO_LONG = "took too long"

# Files that a process is asked of at once, so that it need not wait for each.
_CHUNK = 25


@dataclass
class Outcome:
    """Of all files of one format."""

    form: str
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    """What must not be: the number of the file, and why."""
    deaths: int = 0
    timeouts: int = 0
    slowest: float = 0.0
    most_mib: float = 0.0

    @property
    def files(self) -> int:
        return self.codes.total()

    def add(self, number: int, answer: dict) -> None:
        self.codes[answer["code"]] += 1
        self.slowest = max(self.slowest, answer["seconds"])
        self.most_mib = max(self.most_mib, answer["kib"] / 1_024)
        if fault := answer.get("fault"):
            self._fail(number, fault)

    def lose(self, number: int, how: str) -> None:
        self.codes["LOST"] += 1
        self.timeouts += how == TOOK_TOO_LONG
        self.deaths += how != TOOK_TOO_LONG
        self._fail(number, how)

    def _fail(self, number: int, why: str) -> None:
        self.faults.append((number, why))
        print(f"{self.form}:{number}: {why}", file=sys.stderr, flush=True)


class Material:
    """The seeds of every format, and the mutations of them by number."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._seed = seed
        self._seeds = {form: seeds(folder, form) for form in FORMATS}

    def mutation(self, form: str, number: int) -> bytes:
        """Always the same bytes for the same seed, format and number."""
        others = [each for other in FORMATS if other != form for each in self._seeds[other]]
        rng = Random(f"{self._seed}:{form}:{number}")  # noqa: S311 - not for secrets
        return mutated(self._seeds[form], others, form, rng)


async def run(
    folder: Path, material: Material, form: str, count: int, settings: Settings, processes: int
) -> Outcome:
    """`count` mutations of one format; a process that is lost is replaced, and counted."""
    outcome, chunks = (
        Outcome(form),
        iter([range(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]),
    )
    places = [folder / f"{form}-of-{index}" for index in range(processes)]
    await asyncio.gather(*(_work(place, material, chunks, settings, outcome) for place in places))
    return outcome


async def _work(
    place: Path,
    material: Material,
    chunks: Iterator[range],
    settings: Settings,
    outcome: Outcome,
) -> None:
    async with _Guarded(settings) as guarded:
        for numbers in chunks:
            paths = [place.with_suffix(f".{index}") for index in range(len(numbers))]
            for number, path in zip(numbers, paths, strict=True):
                path.write_bytes(material.mutation(outcome.form, number))
            answers, _ = await guarded.ask(paths)
            if answers:
                for number, answer in zip(numbers, answers, strict=True):
                    outcome.add(number, answer)
                continue
            # One of them ended the process: which?
            for number, path in zip(numbers, paths, strict=True):
                answers, how = await guarded.ask([path])
                if answers:
                    outcome.add(number, answers[0])
                else:
                    outcome.lose(number, how)


class _Guarded:
    """A process that is replaced when it is lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: Reader | None = None

    async def __aenter__(self) -> "_Guarded":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._reader:
            await self._reader.end()

    async def ask(self, paths: Sequence[Path]) -> tuple[list[dict[str, Any]], str]:
        """An answer for each path; or none, and how the process ended."""
        while self._reader is None or self._reader.has_ended:
            with contextlib.suppress(TimeoutError):  # on a machine that is busy with others
                self._reader = await Reader.start(_command(self._settings))
        answer = None
        try:
            async with asyncio.timeout(self._settings.max_reading_seconds):
                answer = await self._reader.answer({"paths": [str(path) for path in paths]})
        except TimeoutError:
            await self._reader.end()
            return [], TOOK_TOO_LONG
        if answer is None:
            await self._reader.end()
            return [], self._reader.how_it_ended
        return answer["answers"], ""


def _command(settings: Settings) -> tuple[str, ...]:
    bounds = {
        "sound": dataclasses.asdict(settings.sound_limits),
        "seconds": settings.max_reading_seconds,
        "bytes": settings.max_process_bytes,
    }
    return (sys.executable, "-P", "-m", "benchmarks.fuzz.child", orjson.dumps(bounds).decode())
