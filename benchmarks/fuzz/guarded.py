"""Mutated files through the code of upload and analysis, in processes bound as the server's are."""

import asyncio
import contextlib
import dataclasses
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import orjson

from benchmarks.fuzz.mutate import mutated
from benchmarks.fuzz.seeds import FORMATS, seeds
from samplemind.readers import Reader
from samplemind.settings import Settings


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

    def lose(self, number: int, how: str, *, timeout: bool) -> None:
        self.codes["LOST"] += 1
        self.timeouts += timeout
        self.deaths += not timeout
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
    outcome, numbers = Outcome(form), iter(range(count))
    await asyncio.gather(
        *(
            _work(folder / f"{form}.{index}", material, form, numbers, settings, outcome)
            for index in range(processes)
        )
    )
    return outcome


async def _work(path, material, form, numbers, settings: Settings, outcome: Outcome) -> None:
    reader: Reader | None = None
    try:
        for number in numbers:
            while reader is None or reader.has_ended:
                with contextlib.suppress(TimeoutError):  # on a machine that is busy with others
                    reader = await Reader.start(_command(settings))
            path.write_bytes(material.mutation(form, number))
            answer = None
            try:
                async with asyncio.timeout(settings.max_reading_seconds):
                    answer = await reader.answer({"path": str(path)})
            except TimeoutError:
                await reader.end()
                outcome.lose(number, "took too long", timeout=True)
                continue
            if answer is None:
                await reader.end()
                outcome.lose(number, reader.how_it_ended, timeout=False)
            else:
                outcome.add(number, answer)
    finally:
        if reader:
            await reader.end()


def _command(settings: Settings) -> tuple[str, ...]:
    bounds = {
        "sound": dataclasses.asdict(settings.sound_limits),
        "seconds": settings.max_reading_seconds,
        "bytes": settings.max_process_bytes,
    }
    return (sys.executable, "-P", "-m", "benchmarks.fuzz.child", orjson.dumps(bounds).decode())
