"""The same lists as ours, as Strawberry's documentation has one write them: FastAPI's router, types
with plain attributes, data loaders made for each request, and nothing else. No limits, no paging by
cursors, no errors made fit for clients. `python -m benchmarks.plain_strawberry PORT` serves
the documents at SAMPLEMIND_MONGO_URL.
"""

import base64
import os
import sys
from datetime import datetime
from typing import Any

import strawberry
import uvicorn
from fastapi import FastAPI
from motor.motor_asyncio import AsyncIOMotorClient
from strawberry.dataloader import DataLoader
from strawberry.fastapi import BaseContext, GraphQLRouter

from samplemind.domain.analysis import Mode, SampleKind
from samplemind.domain.user import Role

Document = dict[str, Any]

for enum in (SampleKind, Mode, Role):
    strawberry.enum(enum)


@strawberry.type
class User:
    username: str
    role: Role


@strawberry.type
class Tempo:
    bpm: float
    confidence: float


@strawberry.type
class MusicalKey:
    tonic: str
    mode: Mode


@strawberry.type
class Label:
    name: str
    score: float


@strawberry.type
class Analysis:
    kind: SampleKind | None
    tempo: Tempo | None
    key: MusicalKey | None
    labels: list[Label]


class Context(BaseContext):
    def __init__(self, database: Any) -> None:
        super().__init__()
        self.database = database
        self.users = DataLoader(self._users)
        self.analyses = DataLoader(self._analyses)

    async def _users(self, ids: list[str]) -> list[Document | None]:
        return await self._by_ids("users", ids)

    async def _analyses(self, ids: list[str]) -> list[Document | None]:
        return await self._by_ids("analyses", ids)

    async def _by_ids(self, collection: str, ids: list[str]) -> list[Document | None]:
        without = {"embedding": 0, "fingerprint": 0}
        rows = await self.database[collection].find({"_id": {"$in": ids}}, without).to_list(None)
        found = {row["_id"]: row for row in rows}
        return [found.get(id_) for id_ in ids]


Info = strawberry.Info[Context, None]


@strawberry.type
class AudioFile:
    document: strawberry.Private[Document]
    id: strawberry.ID
    filename: str
    format: str
    size_bytes: float
    sha256: str
    duration_seconds: float
    sample_rate: int
    channels: int
    tags: list[str]
    uploaded_at: datetime

    @strawberry.field
    async def owner(self, info: Info) -> User | None:
        row = await info.context.users.load(self.document["owner_id"])
        return User(username=row["username"], role=Role(row["role"])) if row else None

    @strawberry.field
    async def analysis(self, info: Info) -> Analysis | None:
        row = await info.context.analyses.load(self.document["analysis_id"])
        if row is None:
            return None
        found = row["findings"]
        tempo, key = found["tempo"], found["key"]
        return Analysis(
            kind=SampleKind(found["kind"]) if found["kind"] else None,
            tempo=Tempo(bpm=tempo["bpm"], confidence=tempo["confidence"]) if tempo else None,
            key=MusicalKey(tonic=key["tonic"], mode=Mode(key["mode"])) if key else None,
            labels=[Label(name=each["name"], score=each["score"]) for each in found["labels"]],
        )


@strawberry.type
class AudioFileEdge:
    node: AudioFile


@strawberry.type
class AudioFileConnection:
    edges: list[AudioFileEdge]


@strawberry.type
class Query:
    @strawberry.field
    async def audio_files(self, info: Info, first: int = 50) -> AudioFileConnection:
        files = info.context.database["audio_files"]
        rows = await files.find().sort("key", -1).limit(first).to_list(first)
        return AudioFileConnection(edges=[AudioFileEdge(node=_audio_file(row)) for row in rows])


def _audio_file(row: Document) -> AudioFile:
    facts = row["facts"]
    opaque = base64.urlsafe_b64encode(f"AudioFile:{row['_id']}".encode())
    return AudioFile(
        document=row,
        id=strawberry.ID(opaque.decode().rstrip("=")),
        filename=row["filename"],
        format=facts["format"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        duration_seconds=facts["duration_seconds"],
        sample_rate=facts["sample_rate"],
        channels=facts["channels"],
        tags=row["tags"],
        uploaded_at=row["uploaded_at"],
    )


def main() -> None:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        os.environ["SAMPLEMIND_MONGO_URL"], tz_aware=True
    )
    database = client.get_default_database("samplemind")

    async def context() -> Context:
        return Context(database)

    app = FastAPI()
    router = GraphQLRouter(strawberry.Schema(query=Query), context_getter=context)
    app.include_router(router, prefix="/graphql")
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
