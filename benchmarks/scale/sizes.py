"""What a stored file takes: documents, indexes, vectors."""

import asyncio
from pathlib import Path

import bson

from benchmarks.scale.library import fill
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.store.database import connect

_SAMPLE = 500


def measure(count: int, folder: Path) -> None:
    """Prints bytes a file: as encoded, of the fields that indexes hold, and on this disk."""
    data = folder / f"sizes-{count}"
    with running_parts(data) as settings:
        asyncio.run(_measure(Parts.open(settings), count))
    for part in ("documents", "vectors"):
        size = sum(path.stat().st_size for path in (data / part).rglob("*") if path.is_file())
        print(f"{part} on disk, embedded, with its log: {size / count:,.0f} bytes a file")


async def _measure(parts: Parts, count: int) -> None:
    await parts.store.prepare()
    await fill(parts, "owner", count, seed=1)
    # The index of vectors is written when it has a thousand new ones, or is asked.
    await parts.vectors.nearest("owner", [1.0] * 289, 1)
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
