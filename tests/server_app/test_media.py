"""Links over the ASGI application: where they begin, when they end, what is cleaned away."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from fastapi import FastAPI

from resolvers.media import waveform
from resolvers.scope import Scope
from resolvers.uploads import complete_upload, receive_upload, remove_expired_uploads
from samplemind.cache import Cache
from samplemind.domain.audio_file import AudioFacts
from samplemind.domain.errors import NotFound, UploadExpired, UploadNotFound
from samplemind.domain.ids import new_id, now
from samplemind.domain.upload import Upload
from samplemind.links import LinkKind
from samplemind.parts import Parts
from samplemind.server.app import make_app
from samplemind.settings import Settings
from tests.domain.models import audio_file, user

_PUBLIC = "https://sounds.example.org/api/"
_HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = make_app(settings.model_copy(update={"public_url": _PUBLIC}))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def parts(app: FastAPI) -> Parts:
    return app.state.parts


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _upload(parts: Parts, owner_id: str, ago: timedelta, **fields: Any) -> Upload:
    """Announced for 5 bytes; its time was over `ago`."""
    upload = Upload(new_id(), owner_id, "kick.wav", 5, now() - ago)
    await parts.store.uploads.add(replace(upload, **fields))
    return upload


def _code(answer: httpx.Response) -> str:
    [error] = answer.json()["errors"]
    return error["extensions"]["code"]


async def test_links_begin_with_the_public_address(client: httpx.AsyncClient, parts: Parts):
    await parts.store.audio_files.add(audio_file("local"))
    asked = {"query": "{ audioFiles(first: 1) { edges { node { url } } } }"}
    answer = (await client.post("/graphql", json=asked)).json()
    [edge] = answer["data"]["audioFiles"]["edges"]
    assert edge["node"]["url"].startswith("https://sounds.example.org/api/media/")


async def test_a_link_to_a_sound_ends(client: httpx.AsyncClient, parts: Parts, owner_id: str):
    over = now() - timedelta(seconds=1)
    answer = await client.get(parts.links.path(LinkKind.MEDIA, owner_id, new_id(), over))
    assert (answer.status_code, _code(answer)) == (403, "LINK_EXPIRED")


async def test_a_sound_whose_bytes_are_gone(client: httpx.AsyncClient, parts: Parts, owner_id: str):
    file = await parts.store.audio_files.add(audio_file(owner_id))
    answer = await client.get(parts.links.path(LinkKind.MEDIA, owner_id, file.id, now() + _HOUR))
    assert (answer.status_code, _code(answer)) == (404, "NOT_FOUND")


async def test_an_upload_ends(client: httpx.AsyncClient, parts: Parts, owner_id: str):
    upload = await _upload(parts, owner_id, timedelta(seconds=1))
    path = parts.links.path(LinkKind.UPLOADS, owner_id, upload.id, upload.expires_at)
    answer = await client.put(path, content=b"sound")
    assert (answer.status_code, _code(answer)) == (403, "UPLOAD_EXPIRED")
    with pytest.raises(UploadExpired):
        await complete_upload(Scope(parts, user(owner_id)), upload.id, [], None)


async def test_an_upload_is_its_owners(parts: Parts, owner_id: str):
    upload = await _upload(parts, owner_id, -_HOUR)
    other = Scope(parts, user(new_id()))
    with pytest.raises(UploadNotFound):
        await complete_upload(other, upload.id, [], None)
    with pytest.raises(UploadNotFound):
        await receive_upload(parts, other.owner_id, upload.id, _chunks(b"sound"))


async def test_what_was_abandoned_is_cleaned_away(parts: Parts, owner_id: str):
    ages = (2 * _HOUR, _HOUR / 2, -_HOUR)
    old, late, current = [await _upload(parts, owner_id, age) for age in ages]
    for upload in (old, late, current):
        await parts.blobs.put(upload.blob_key, _chunks(b"sound"))

    await remove_expired_uploads(parts)

    sizes = [await parts.blobs.size(upload.blob_key) for upload in (old, late, current)]
    assert sizes == [None, 5, 5]
    found = [await parts.store.uploads.by_id(owner_id, u.id) for u in (old, late, current)]
    assert found == [None, late, current]


async def test_bytes_that_come_too_late_are_not_kept(parts: Parts, owner_id: str):
    upload = await _upload(parts, owner_id, -_HOUR)

    async def cleaned_away_meanwhile() -> AsyncIterator[bytes]:
        yield b"so"
        await parts.store.uploads.remove(owner_id, upload.id)
        yield b"und"

    with pytest.raises(UploadNotFound):
        await receive_upload(parts, owner_id, upload.id, cleaned_away_meanwhile())
    assert await parts.blobs.size(upload.blob_key) is None


async def test_who_died_completing_is_not_waited_for(parts: Parts, owner_id: str):
    upload, uploads = await _upload(parts, owner_id, -_HOUR), parts.store.uploads
    begun = now()
    until = begun + timedelta(minutes=15)
    assert await uploads.claim(owner_id, upload.id, begun, until)
    assert not await uploads.claim(owner_id, upload.id, begun, until)
    assert await uploads.claim(owner_id, upload.id, until, until + _HOUR)
    await uploads.complete(owner_id, upload.id)
    assert not await uploads.claim(owner_id, upload.id, until + 2 * _HOUR, until + 3 * _HOUR)


async def test_a_waveform_is_drawn_once_and_without_a_cache_too(
    parts: Parts, owner_id: str, tmp_path: Path, unused_tcp_port: int
):
    samples = np.random.default_rng(int(owner_id[-8:], 16)).uniform(-0.5, 0.5, 4_410)
    soundfile.write(tmp_path / "y.wav", samples, 44_100)
    facts = AudioFacts("wav", 0.1, 44_100, 1, {})
    file = audio_file(owner_id, facts=facts)
    await parts.blobs.put(file.blob_key, tmp_path / "y.wav")
    scope = Scope(parts, user(owner_id))
    cacheless = replace(parts, cache=Cache(f"redis://127.0.0.1:{unused_tcp_port}"))

    drawn = await waveform(Scope(cacheless, user(owner_id)), file, 10)
    assert drawn == await waveform(scope, file, 10)
    assert max(drawn) == pytest.approx(np.abs(samples).max(), abs=1e-4)

    await parts.blobs.remove(file.blob_key)
    assert await waveform(scope, file, 10) == drawn
    with pytest.raises(NotFound):
        await waveform(Scope(cacheless, user(owner_id)), file, 10)
    await cacheless.cache.close()
