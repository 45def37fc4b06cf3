"""A whole life over rclone's S3 server, which checks signatures: upload, analyse, play, delete."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from samplemind.blobs import Blobs
from samplemind.domain.errors import PartUnavailable
from tests.conformance import python
from tests.e2e import sounds
from tests.server import HTTP, running_server

pytestmark = python.needs_uv

_REQUEST = """mutation ($size: Float!) { requestUpload(input: {filename: "a.wav",
    sizeBytes: $size}) { uploadId url headers } }"""
_COMPLETE = """mutation ($id: ID!) { completeUpload(input: {uploadId: $id,
    analyze: {level: STANDARD}}) { audioFile { id url } errors { code message } } }"""
_DELETE = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { errors { code } } }"


@contextlib.contextmanager
def _rclone(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which `s3://sounds` is the folder `sounds` in this one."""
    (folder / "sounds").mkdir()
    program = python.installed(Path(__file__).parent) / ".venv/bin/rclone"
    command = [program, "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", "key,secret"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--config", folder / "none", folder], stdout=log, stderr=log
        )
    try:
        said, until = "", time.monotonic() + 30
        while "[http://" not in said:
            assert time.monotonic() < until, said
            assert process.poll() is None, said
            said = (folder / "log").read_text()
            time.sleep(0.05)
        yield {
            "AWS_ENDPOINT_URL": said.partition("[")[2].partition("/]")[0],
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rclone")


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    with _rclone(folder) as environment:
        yield environment


def _stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "sounds").rglob("*") if path.is_file()]


async def test_a_sound_lives_there(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    bucket = {"SAMPLEMIND_BLOB_URL": "s3://sounds", **environment}
    first, second = (sounds.encoded(sounds.tone(hertz)) for hertz in (220, 330))
    with running_server(tmp_path, [], **bucket) as server:
        stored = server.upload(first, level="STANDARD")["audioFile"]
        assert (await server.analyzed(stored["id"]))["status"] == "SUCCEEDED"

        announced = server.ask(_REQUEST, size=len(second))["requestUpload"]
        sent = HTTP.put(announced["url"], content=second, headers=announced["headers"])
        assert sent.status_code == 200
        made = server.ask(_COMPLETE, id=announced["uploadId"])["completeUpload"]
        assert made["errors"] == []
        file = made["audioFile"]
        assert (await server.analyzed(file["id"]))["status"] == "SUCCEEDED"
        assert sorted(_stored(folder)) == sorted([first, second])

        assert HTTP.get(file["url"]).content == second
        part = HTTP.get(file["url"], headers={"Range": "bytes=2-5"})
        assert part.content == second[2:6]
        assert part.headers["content-range"] == f"bytes 2-5/{len(second)}"
        wrong = file["url"].replace("Signature=", "Signature=0")
        assert HTTP.get(wrong).status_code == 403
        assert HTTP.get(file["url"].partition("?")[0]).status_code == 400

        for each in (stored, file):
            assert server.ask(_DELETE, id=each["id"])["deleteAudioFile"]["errors"] == []
        assert _stored(folder) == []


async def test_who_has_another_secret_gets_nothing(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**environment, "AWS_SECRET_ACCESS_KEY": "other"}.items():
        monkeypatch.setenv(name, value)
    bucket = Blobs("s3://sounds", seconds=1)
    with pytest.raises(PartUnavailable):
        await bucket.check()
    with pytest.raises(PartUnavailable):
        await bucket.fetch("ada/1", tmp_path / "target")
    [url] = await bucket.signed_urls("PUT", ["ada/1"], timedelta(minutes=1))
    async with httpx.AsyncClient() as client:
        assert (await client.put(url, content=b"sound")).status_code == 403
