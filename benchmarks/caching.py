"""What a cache in Redis saves, and where it saves nothing: `python -m benchmarks.caching`.

Starts the databases alone, as `samplemind serve` does, fills a library, and asks each thing with
what is kept and without. Times are medians in milliseconds, from one process with nothing else to
do.
"""

import argparse
import asyncio
import logging
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import structlog
from pydantic import TypeAdapter

from loaders.embeddings import EmbeddingsLoader
from samplemind.audio import EMBEDDING_DIMENSIONS, ENGINE_VERSION
from samplemind.cache import Cache
from samplemind.domain.analysis import (
    Analysis,
    AnalysisLevel,
    AnalysisStatus,
    Findings,
    Label,
    SampleKind,
    Tempo,
)
from samplemind.domain.audio_file import AudioFacts, AudioFile
from samplemind.domain.ids import new_id
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.store import Store

_OWNER = "benchmark"
_TURNS = 30
_analysis = TypeAdapter(Analysis)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.caching", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how large the library is")
    files: int = parser.parse_args().files
    with (
        tempfile.TemporaryDirectory(prefix="samplemind-benchmark-") as folder,
        running_parts(Path(folder)) as settings,
    ):
        asyncio.run(_measure(settings, files))


async def _measure(settings: Settings, count: int) -> None:
    # The store without a cache would say so at each turn.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parts = Parts.open(settings)
    await parts.store.prepare()
    files = await _fill(parts, count)
    # Nobody listens on port 9, so that this store has no cache.
    bare = Store(settings.mongo_url, Cache("redis://127.0.0.1:9"))
    some = [file.analysis_id or "" for file in files[:50]]
    keep = parts.cache

    async def embedding(*, kept: bool) -> None:
        # Another analysis is another key: nothing is kept under it yet.
        file = files[0] if kept else _with_analysis(files[0], new_id())
        await EmbeddingsLoader(parts.vectors, keep, _OWNER).load(file)

    reader = Store(settings.mongo_url, keep)

    async def read() -> list[dict]:
        found = await reader.analyses.by_ids(_OWNER, some)
        return [_analysis.dump_python(each, mode="json") for each in found if each]

    async def analyses_kept() -> None:
        for each in await keep.get_or_make("benchmark:analyses", read, seconds=600):
            _analysis.validate_python(each)

    async def analyses(*, remembered: bool) -> None:
        if not remembered:
            reader.analyses._settled.clear()
        await reader.analyses.by_ids(_OWNER, some)

    print(f"{f'{count:,} files; median of {_TURNS}, ms':<40}{'without':>10}{'kept':>10}")
    rows: dict[str, tuple[Callable[[], Awaitable[object]], Callable[[], Awaitable[object]]]] = {
        "libraryStats": (
            lambda: bare.audio_files.stats(_OWNER),
            lambda: parts.store.audio_files.stats(_OWNER),
        ),
        "totalCount": (
            lambda: bare.audio_files.count(_OWNER),
            lambda: parts.store.audio_files.count(_OWNER),
        ),
        "embedding of a seed": (lambda: embedding(kept=False), lambda: embedding(kept=True)),
        "50 analyses, in Redis": (lambda: analyses(remembered=False), analyses_kept),
        "50 analyses, in the process": (
            lambda: analyses(remembered=False),
            lambda: analyses(remembered=True),
        ),
    }
    for name, (without, kept) in rows.items():
        print(f"{name:<40}{await _milliseconds(without):>10.1f}{await _milliseconds(kept):>10.1f}")
    bare.close()
    reader.close()
    await parts.close()


async def _milliseconds(ask: Callable[[], Awaitable[object]]) -> float:
    await ask()
    taken = []
    for _ in range(_TURNS):
        started = time.perf_counter()
        await ask()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1_000


async def _fill(parts: Parts, count: int) -> list[AudioFile]:
    chance = np.random.default_rng(0)
    files = []
    for start in range(0, count, 100):
        some = [_file(number) for number in range(start, min(start + 100, count))]
        runs = [_run(file, chance) for file in some]
        await asyncio.gather(*map(parts.store.audio_files.add, some))
        await parts.store.analyses.add(runs)
        await asyncio.gather(*map(parts.store.audio_files.set_analysis, runs))
        files += [_with_analysis(file, run.id) for file, run in zip(some, runs, strict=True)]
        if start == 0:
            for file, run in zip(some, runs, strict=True):
                await parts.vectors.put(file, run.findings)
    return files


def _file(number: int) -> AudioFile:
    return AudioFile(
        id=new_id(),
        owner_id=_OWNER,
        filename=f"sound {number}.wav",
        size_bytes=100_000,
        sha256=secrets.token_hex(32),
        facts=AudioFacts("wav", 1.0, 44_100, 2, {}),
        tags=(),
        uploaded_at=datetime.now(UTC),
    )


def _with_analysis(file: AudioFile, id_: str) -> AudioFile:
    return replace(file, analysis_id=id_)


def _run(file: AudioFile, chance: np.random.Generator) -> Analysis:
    words = chance.choice(["kick", "snare", "hat", "pad", "bass", "dark", "bright"], 3, False)
    findings = Findings(
        kind=list(SampleKind)[chance.integers(3)],
        tempo=Tempo(float(chance.uniform(60, 180)), 0.9, ()),
        labels=tuple(Label(str(word), 0.5) for word in words),
        onsets=tuple(chance.uniform(0, 10, 50).tolist()),
        embedding=tuple(chance.normal(size=EMBEDDING_DIMENSIONS).tolist()),
    )
    return Analysis(
        id=new_id(),
        owner_id=_OWNER,
        audio_file_id=file.id,
        level=AnalysisLevel.STANDARD,
        status=AnalysisStatus.SUCCEEDED,
        engine_version=ENGINE_VERSION,
        queued_at=datetime.now(UTC),
        findings=findings,
    )


if __name__ == "__main__":
    main()
