"""Uploads sounds, watches their analysis live, lists what is similar to the first of them, and asks
in words."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from samplemind_client import AnalysisLevel, SampleMind, SimilarityTarget, Upload

T = TypeVar("T")


class Error(Protocol):
    code: str
    message: str


def expect(value: T | None, errors: Sequence[Error]) -> T:
    """What a payload holds. Ends the program with its first error."""
    if errors:
        raise SystemExit(f"{errors[0].code}: {errors[0].message}")
    if value is None:
        raise SystemExit("The payload is empty.")
    return value


async def upload(client: SampleMind, path: Path) -> str:
    with path.open("rb") as content:
        file = Upload(path.name, content, "application/octet-stream")
        payload = (await client.upload_sound(file, tags=["example"])).uploadAudio
    stored = expect(payload.audioFile, payload.errors)
    print(f"uploaded {stored.filename}, {stored.durationSeconds:.2f} s")
    return stored.id


async def analyze(client: SampleMind, ids: list[str]) -> None:
    payload = (await client.analyze_sounds(ids, AnalysisLevel.DETAILED)).createBatchJob
    batch = expect(payload.batchJob, payload.errors)
    async for event in client.watch_batch(batch.id):
        change = event.batchProgress
        job, item = change.batchJob, change.item
        moved = item and item.audioFile and f": {item.audioFile.filename} is {item.status.value}"
        done = f"{job.completed} of {job.total}"
        print(f"{change.sequence}. batch {job.status.value}, {done}{moved or ''}")


async def list_similar(client: SampleMind, id_: str) -> None:
    found = await client.find_similar(SimilarityTarget(audioFileId=id_), first=5)
    for edge in found.similarTo.edges:
        reasons = edge.reasons.model_dump() if edge.reasons else {}
        because = ", ".join(f"{name} {share:.0%}" for name, share in reasons.items())
        print(f"{edge.score:.3f} {edge.node.filename}: {because}")


async def list_asked_for(client: SampleMind, prompt: str) -> None:
    found = (await client.search_in_words(prompt, first=3)).searchAudio
    understood = found.understood
    kinds = [kind.value for kind in understood.filter_.kinds or ()]
    meant = [*kinds, *(understood.filter_.labels or ()), *understood.profile.like]
    print(f"{prompt!r} is {', '.join(meant)} to {understood.by.value}")
    for edge in found.edges:
        print(f"  {edge.node.filename}")


async def main(paths: list[Path]) -> None:
    server = os.environ.get("SAMPLEMIND_URL", "http://127.0.0.1:8000")
    async with SampleMind(
        f"{server}/graphql",
        headers={"apollo-require-preflight": "true"},  # what an upload must carry
        ws_url=f"{server.replace('http', 'ws', 1)}/graphql",
    ) as client:
        ids = [await upload(client, path) for path in paths]
        await analyze(client, ids)
        await list_similar(client, ids[0])
        await list_asked_for(client, "a short, tonal one-shot")


if __name__ == "__main__":
    if not sys.argv[1:]:
        raise SystemExit("Name the sounds to upload: python main.py kick.wav snare.wav")
    asyncio.run(main([Path(path) for path in sys.argv[1:]]))
