"""Uploads in two steps: requestUpload, PUT to the URL, completeUpload."""

import asyncio
import base64
import hashlib
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.bucket import running_bucket
from tests.e2e import sounds
from tests.server import HTTP, Server, running_server

REQUEST = """
mutation ($filename: String!, $sizeBytes: Float!) {
  requestUpload(input: {filename: $filename, sizeBytes: $sizeBytes}) {
    uploadId url method headers expiresAt errors { code message field }
  }
}
"""

COMPLETE = """
mutation ($uploadId: ID!, $tags: [String!], $analyze: AnalyzeOptions) {
  completeUpload(input: {uploadId: $uploadId, tags: $tags, analyze: $analyze}) {
    audioFile { id filename format sizeBytes sha256 tags url }
    analysis { id level }
    errors { code message field }
  }
}
"""


def request(server: Server, size: float, filename: str = "kick.wav") -> dict[str, Any]:
    return server.ask(REQUEST, filename=filename, sizeBytes=size)["requestUpload"]


def put(upload: dict[str, Any], content: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    headers = upload["headers"] | named
    return HTTP.request(upload["method"], upload["url"], content=content, headers=headers)


def complete(server: Server, upload: dict[str, Any], **more: Any) -> dict[str, Any]:
    return server.ask(COMPLETE, uploadId=upload["uploadId"], **more)["completeUpload"]


def code(answer: httpx.Response) -> str:
    [error] = answer.json()["errors"]
    assert error["message"]
    return error["extensions"]["code"]


def error_code(payload: dict[str, Any]) -> str:
    [error] = payload["errors"]
    assert error["message"]
    assert payload["audioFile"] is None
    return error["code"]


def waiting(server: Server) -> list[Path]:
    """Bytes that lie in the folder of uploads."""
    return [path for path in (server.data_dir / "blobs/uploads").rglob("*") if path.is_file()]


@pytest.fixture
def content() -> bytes:
    return sounds.encoded(sounds.noise(1))


class TestAsUploadAudio:
    async def test_from_announcement_to_analysis(self, server: Server, content: bytes):
        tag = uuid.uuid4().hex
        upload = request(server, len(content), "../große trommel.wav")
        assert upload["errors"] == []
        assert upload["method"] == "PUT"
        assert upload["url"].startswith(f"{server.url}/uploads/")
        left = datetime.fromisoformat(upload["expiresAt"]) - datetime.now(UTC)
        assert timedelta(minutes=50) < left <= timedelta(hours=1)

        assert put(upload, content).status_code == 204
        payload = complete(server, upload, tags=[tag], analyze={"level": "BASIC"})

        assert payload["errors"] == []
        file = payload["audioFile"]
        assert file["filename"] == "große trommel.wav"
        assert file["format"] == "wav"
        assert file["sizeBytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["tags"] == [tag]
        assert payload["analysis"]["level"] == "BASIC"
        assert (await server.analyzed(file["id"]))["status"] == "SUCCEEDED"
        assert HTTP.get(file["url"]).content == content
        assert waiting(server) == []

    def test_the_same_bytes_are_the_same_file(self, server: Server, content: bytes):
        first = server.upload(content, tags=["a"])["audioFile"]
        upload = request(server, len(content))
        put(upload, content)
        again = complete(server, upload, tags=["b"])["audioFile"]
        assert (again["id"], again["tags"]) == (first["id"], ["a", "b"])

    def test_what_is_not_a_sound_can_be_put_right(self, server: Server, content: bytes):
        upload = request(server, len(content))
        put(upload, bytes(len(content)))
        assert error_code(complete(server, upload)) == "NOT_AUDIO"
        put(upload, content)
        assert complete(server, upload)["errors"] == []

    def test_bad_tags_can_be_put_right(self, server: Server, content: bytes):
        upload = request(server, len(content))
        put(upload, content)
        assert error_code(complete(server, upload, tags=["x" * 61])) == "BAD_USER_INPUT"
        assert complete(server, upload, tags=["x"])["errors"] == []


class TestAnnouncement:
    @pytest.mark.parametrize(
        ("size", "expected"),
        [
            (0, "EMPTY_FILE"),
            (-1, "BAD_USER_INPUT"),
            (1.5, "BAD_USER_INPUT"),
            (2 * 1024**3 + 1, "FILE_TOO_LARGE"),
            (1e300, "FILE_TOO_LARGE"),
        ],
    )
    def test_of_an_impossible_size(self, server: Server, size: float, expected: str):
        upload = request(server, size)
        [error] = upload["errors"]
        assert error["code"] == expected
        assert error["field"] == ["input", "sizeBytes"]
        assert upload["url"] is upload["uploadId"] is upload["headers"] is None

    def test_of_the_largest_file(self, server: Server):
        assert request(server, 2 * 1024**3)["errors"] == []


class TestSending:
    @pytest.mark.parametrize("chunked", [False, True])
    @pytest.mark.parametrize("off_by", [-1, 1, 3_000_000])
    def test_another_size_than_announced(
        self, server: Server, content: bytes, off_by: int, chunked: bool
    ):
        upload = request(server, len(content))
        sent = content[:off_by] if off_by < 0 else content + bytes(off_by)
        half = len(sent) // 2
        answer = put(upload, iter([sent[:half], sent[half:]]) if chunked else sent)
        assert (answer.status_code, code(answer)) == (400, "SIZE_MISMATCH")
        assert error_code(complete(server, upload)) == "UPLOAD_INCOMPLETE"
        assert waiting(server) == []
        assert put(upload, content).status_code == 204
        assert complete(server, upload)["errors"] == []

    def test_what_breaks_off_is_sent_again(self, server: Server):
        content = sounds.encoded(sounds.noise(120))
        upload = request(server, len(content))
        address = urlsplit(upload["url"])
        head = (
            f"PUT {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(head.encode() + content[: len(content) // 2])
        assert error_code(complete(server, upload)) == "UPLOAD_INCOMPLETE"
        assert put(upload, content).status_code == 204
        assert complete(server, upload)["audioFile"]["sizeBytes"] == len(content)
        assert waiting(server) == []

    @pytest.mark.parametrize("name", ["Content-Digest", "Repr-Digest", "Digest"])
    def test_a_digest_is_checked(self, server: Server, content: bytes, name: str):
        upload = request(server, len(content))
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        value = f"SHA-256={digest}" if name == "Digest" else f"md5=:YQ==:, sha-256=:{digest}:"
        turned = content[:-1] + bytes([content[-1] ^ 1])
        answer = put(upload, turned, **{name: value})
        assert (answer.status_code, code(answer)) == (400, "DIGEST_MISMATCH")
        assert error_code(complete(server, upload)) == "UPLOAD_INCOMPLETE"
        assert put(upload, content, **{name: value}).status_code == 204
        assert complete(server, upload)["errors"] == []

    @pytest.mark.parametrize("value", ["sha-256=:YQ==:", "sha-256=::", "sha-256=:ä:"])
    def test_a_digest_that_is_none(self, server: Server, content: bytes, value: str):
        upload = request(server, len(content))
        headers = {b"Content-Digest": value.encode("latin-1")}
        answer = HTTP.put(upload["url"], content=content, headers=headers)
        assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")

    def test_a_part_of_a_file(self, server: Server, content: bytes):
        upload = request(server, len(content))
        answer = put(upload, content, Content_Range=f"bytes 0-9/{len(content)}")
        assert (answer.status_code, code(answer)) == (400, "BAD_USER_INPUT")

    def test_to_a_link_that_is_for_something_else(self, server: Server, content: bytes):
        media = server.upload(content)["audioFile"]["id"]
        query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { url } } }"
        token = server.ask(query, id=media)["node"]["url"].rpartition("/")[2]
        for bad in ("x", token):
            answer = HTTP.put(f"{server.url}/uploads/{bad}", content=content)
            assert (answer.status_code, code(answer)) == (403, "LINK_INVALID")


class TestCompleting:
    def test_works_once(self, server: Server, content: bytes):
        upload = request(server, len(content))
        put(upload, content)
        assert complete(server, upload)["errors"] == []
        assert error_code(complete(server, upload)) == "UPLOAD_COMPLETED"
        answer = put(upload, content)
        assert (answer.status_code, code(answer)) == (409, "UPLOAD_COMPLETED")
        assert waiting(server) == []

    async def test_at_the_same_time_works_once(self, server: Server, content: bytes):
        upload = request(server, len(content))
        put(upload, content)
        tags = [f"t{n}" for n in range(8)]
        payloads = await asyncio.gather(
            *(asyncio.to_thread(complete, server, upload, tags=[tag]) for tag in tags)
        )
        [done] = [payload["audioFile"] for payload in payloads if payload["audioFile"]]
        codes = {error_code(payload) for payload in payloads if payload["audioFile"] is None}
        assert codes <= {"UPLOAD_BUSY", "UPLOAD_COMPLETED"}
        # Who was refused changed nothing.
        assert server.upload(content)["audioFile"]["tags"] == done["tags"]
        assert len(done["tags"]) == 1

    def test_before_anything_was_sent(self, server: Server):
        upload = request(server, 10)
        assert error_code(complete(server, upload)) == "UPLOAD_INCOMPLETE"

    def test_what_was_never_requested(self, server: Server):
        none = base64.urlsafe_b64encode(b"Upload:" + b"0" * 24).decode().rstrip("=")
        assert error_code(complete(server, {"uploadId": none})) == "UPLOAD_NOT_FOUND"
        other = base64.urlsafe_b64encode(b"AudioFile:" + b"0" * 24).decode().rstrip("=")
        for bad in (other, "x"):
            assert error_code(complete(server, {"uploadId": bad})) == "BAD_USER_INPUT"


@pytest.fixture(scope="module")
def in_bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose audio bytes lie in a bucket."""
    folder = tmp_path_factory.mktemp("bucket")
    with (
        running_bucket() as environment,
        running_server(folder, [], SAMPLEMIND_BLOB_URL="s3://sounds", **environment) as server,
    ):
        yield server


class TestBucket:
    async def test_sends_to_the_bucket_and_plays_from_it(self, in_bucket: Server, content: bytes):
        upload = request(in_bucket, len(content))
        assert not upload["url"].startswith(in_bucket.url)
        assert put(upload, content).status_code == 200
        payload = complete(in_bucket, upload, analyze={"level": "BASIC"})
        assert payload["errors"] == []
        file = payload["audioFile"]
        assert (await in_bucket.analyzed(file["id"]))["status"] == "SUCCEEDED"

        assert not file["url"].startswith(in_bucket.url)
        answer = HTTP.get(file["url"], headers={"Range": "bytes=-5"})
        assert (answer.status_code, answer.content) == (206, content[-5:])
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["content-range"].endswith(f"/{len(content)}")
        query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { waveform(points: 3) } } }"
        points = in_bucket.ask(query, id=file["id"])["node"]["waveform"]
        assert all(0.1 < point < 0.7 for point in points)
        assert error_code(complete(in_bucket, upload)) == "UPLOAD_COMPLETED"

    def test_checks_the_size_when_it_is_completed(self, in_bucket: Server, content: bytes):
        upload = request(in_bucket, len(content))
        assert error_code(complete(in_bucket, upload)) == "UPLOAD_INCOMPLETE"
        put(upload, content + b"more")
        assert error_code(complete(in_bucket, upload)) == "SIZE_MISMATCH"
        put(upload, content)
        assert complete(in_bucket, upload)["errors"] == []
