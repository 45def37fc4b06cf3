"""What a stored file takes: documents, indexes, vectors, bytes, a place in the queue."""

import asyncio
from dataclasses import replace
from pathlib import Path

import bson
import numpy as np
import redis

from benchmarks import sounds
from benchmarks.scale.library import fill
from samplemind.audio import EMBEDDING_DIMENSIONS, ENGINE_VERSION
from samplemind.audio.analyze import analyze
from samplemind.domain.analysis import Analysis, AnalysisLevel, AnalysisStatus, Lane
from samplemind.domain.ids import new_id, now
from samplemind.jobs.app import app
from samplemind.jobs.queue import queue_analyses
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.store.analyses import _dump
from samplemind.store.database import connect

_SAMPLE, _REAL, _QUEUED = 500, 40, 2_000
_ANALYSIS = Analysis(
    id=new_id(),
    owner_id=new_id(),
    audio_file_id=new_id(),
    level=AnalysisLevel.STANDARD,
    status=AnalysisStatus.SUCCEEDED,
    engine_version=ENGINE_VERSION,
    queued_at=now(),
)


def measure(count: int, folder: Path) -> None:
    """Prints bytes a file: as encoded, of the fields that indexes hold, and on this disk."""
    data = folder / f"sizes-{count}"
    with running_parts(data) as settings:
        asyncio.run(_measure(Parts.open(settings), count))
        print(f"queue: {_queued(settings.redis_url):,.0f} bytes of Redis a waiting analysis")
    _real(folder)
    for part in ("documents", "vectors"):
        size = sum(path.stat().st_size for path in (data / part).rglob("*") if path.is_file())
        print(f"{part} on disk, embedded, with its log: {size / count:,.0f} bytes a file")


def _real(folder: Path) -> None:
    """Of sounds that are really analysed."""
    chosen, source = sounds.batch(_REAL)
    documents, prints = [], []
    for name, content in chosen:
        path = folder / name
        path.write_bytes(content)
        found = analyze(path, AnalysisLevel.STANDARD)
        documents.append(len(bson.encode(_dump(replace(_ANALYSIS, findings=found)))))
        prints.append(len(found.fingerprint or b""))
    print(
        f"{_REAL} of {source}, STANDARD: {np.mean(documents):,.0f} bytes an analysis as BSON, of "
        f"them {np.mean(prints):,.0f} the fingerprint; {np.mean([len(c) for _, c in chosen]):,.0f} "
        "bytes of sound"
    )


def _queued(redis_url: str) -> float:
    client = redis.Redis.from_url(redis_url)
    app.conf.update(broker_url=redis_url)
    before = client.info("memory")["used_memory"]
    asyncio.run(queue_analyses(Lane.BATCH, [new_id() for _ in range(_QUEUED)]))
    taken = client.info("memory")["used_memory"] - before
    client.close()
    return taken / _QUEUED


async def _measure(parts: Parts, count: int) -> None:
    await parts.store.prepare()
    await fill(parts, "owner", count, seed=1)
    # The index of vectors is written when it has a thousand new ones, or is asked.
    await parts.vectors.nearest("owner", [1.0] * EMBEDDING_DIMENSIONS, 1)
    client, database = connect(parts.settings.mongo_url)
    print(f"{count:,} files of one owner")
    for name in ("audio_files", "analyses"):
        indexes = (await database[name].index_information()).values()
        fields = [field for index in indexes for field, _ in index["key"]]
        rows = await database[name].find().limit(_SAMPLE).to_list(None)
        whole = sum(len(bson.encode(row)) for row in rows) / len(rows)
        keys = sum(_keys(row.get(field)) for row in rows for field in fields) / len(rows)
        print(f"{name}: {whole:,.0f} bytes as BSON; {len(fields)} indexes of {keys:,.0f} bytes")
    client.close()
    await parts.close()


def _keys(value: object) -> int:
    """What an index holds of a field, before it is compressed."""
    values = value if isinstance(value, list) else [value]
    return sum(len(each.encode()) + 8 for each in values if isinstance(each, str))
