"""Audio bytes in a folder, and in a bucket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from samplemind.blobs import Blobs
from samplemind.domain.errors import PartUnavailable
from samplemind.domain.ids import new_id
from tests.bucket import running_bucket
from tests.faults import BROKEN, BUSY, CUT, DROP, STALL, Faults, faulty

_LASTING = timedelta(minutes=5)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with running_bucket() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment


@pytest.fixture(scope="module")
def bucket(environment: dict[str, str]) -> Blobs:
    return Blobs("s3://sounds")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, folder: Path) -> Blobs:
    in_folder = request.param == "folder"
    return Blobs(folder.as_uri()) if in_folder else request.getfixturevalue("bucket")


@pytest.fixture
def key() -> str:
    return f"ada/{new_id()}"


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


async def _chunks(*chunks: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if error:
        raise error


@pytest.mark.parametrize("size", [0, 1, 20_000_000])
async def test_bytes_come_back(blobs: Blobs, tmp_path: Path, key: str, size: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    for _ in range(2):
        await blobs.put(key, source, "audio/wav")
    await blobs.fetch(key, target)
    assert target.read_bytes() == source.read_bytes()
    assert await blobs.size(key) == size
    async with blobs.file(key) as path:
        assert path.read_bytes() == source.read_bytes()


async def test_a_file_is_gone_after_use_only_where_it_is_a_copy(
    blobs: Blobs, folder: Path, tmp_path: Path, key: str
) -> None:
    (tmp_path / "source").write_text("sound")
    await blobs.put(key, tmp_path / "source")
    async with blobs.file(key) as path:
        assert path.exists()
    assert path.exists() == (path == folder / key)
    await blobs.fetch(key, tmp_path / "target")


async def test_bytes_are_stored_as_they_arrive(blobs: Blobs, tmp_path: Path, key: str) -> None:
    parts = [bytes([n]) * 1_000_000 for n in range(12)]
    await blobs.put(key, _chunks(*parts))
    await blobs.fetch(key, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"".join(parts)


async def test_what_breaks_off_leaves_what_was_there(
    blobs: Blobs, folder: Path, tmp_path: Path, key: str
) -> None:
    await blobs.put(key, _chunks(b"before"))
    before = _files(folder)
    with pytest.raises(ConnectionError, match="gone"):
        await blobs.put(key, _chunks(bytes(11_000_000), error=ConnectionError("gone")))
    await blobs.fetch(key, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"before"
    assert _files(folder) == before


async def test_what_is_not_there_is_not_found(blobs: Blobs, tmp_path: Path, key: str) -> None:
    with pytest.raises(FileNotFoundError):
        await blobs.fetch(key, tmp_path / "target")
    assert await blobs.size(key) is None


async def test_removing_twice_is_harmless(blobs: Blobs, tmp_path: Path, key: str) -> None:
    await blobs.put(key, _chunks(b"sound"))
    await blobs.remove(key)
    await blobs.remove(key)
    with pytest.raises(FileNotFoundError):
        await blobs.fetch(key, tmp_path / "target")


async def test_check_answers(blobs: Blobs) -> None:
    await blobs.check()


async def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "my sounds ü 100%"
    await Blobs(folder.as_uri()).put("ada/1", _chunks(b"sound"))
    assert _files(folder) == ["1"]


def test_a_folder_signs_nothing(tmp_path: Path) -> None:
    assert not Blobs(tmp_path.as_uri()).signs


async def test_a_bucket_serves_ranges_by_its_own_url(bucket: Blobs, tmp_path: Path, key: str):
    (tmp_path / "source").write_bytes(b"0123456789")
    await bucket.put(key, tmp_path / "source", "audio/flac")
    assert bucket.signs
    [_, url] = await bucket.signed_urls("GET", ["other", key], _LASTING)
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")
    assert answer.headers["content-type"] == "audio/flac"
    assert answer.headers["content-range"] == "bytes 2-4/10"


async def test_a_bucket_takes_bytes_by_its_own_url(bucket: Blobs, tmp_path: Path, key: str):
    [url] = await bucket.signed_urls("PUT", [key], _LASTING)
    headers = {"Content-Type": "application/octet-stream"}
    async with httpx.AsyncClient() as client:
        answer = await client.put(url, content=b"sound", headers=headers)
    assert answer.status_code == 200
    await bucket.fetch(key, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"sound"


class TestFailingBucket:
    """Behind a network that fails: it is asked again, and then no more."""

    @pytest.fixture
    async def faults(
        self, bucket: Blobs, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Faults]:
        """Whoever opens a bucket from now on has it so; `bucket` is without."""
        async with faulty(environment["AWS_ENDPOINT_URL"]) as faults:
            monkeypatch.setenv("AWS_ENDPOINT_URL", faults.url)
            yield faults

    @pytest.fixture
    def far(self, faults: Faults) -> Blobs:
        return Blobs("s3://sounds", seconds=0.5)

    @pytest.mark.parametrize("fault", [BUSY, BROKEN, DROP, STALL])
    async def test_is_asked_again(
        self, far: Blobs, faults: Faults, tmp_path: Path, key: str, fault: str
    ):
        await far.put(key, _chunks(b"sound"))
        faults.next = [fault]
        await far.fetch(key, tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == b"sound"
        assert [each.split()[0] for each in faults.requests][-2:] == ["GET", "GET"]
        faults.next = [fault]
        assert await far.size(key) == 5

    @pytest.mark.parametrize("fault", [BUSY, BROKEN, DROP])
    async def test_is_sent_again(
        self, far: Blobs, faults: Faults, bucket: Blobs, tmp_path: Path, key: str, fault: str
    ):
        content = bytes(range(256)) * 50_000
        faults.next = [fault] * 2
        await far.put(key, _chunks(content))
        await bucket.fetch(key, tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == content

    async def test_goes_on_where_an_answer_broke_off(
        self, far: Blobs, faults: Faults, tmp_path: Path, key: str
    ):
        content = bytes(range(256)) * 20_000
        await far.put(key, _chunks(content))
        faults.next = [CUT]
        await far.fetch(key, tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == content

    @pytest.mark.parametrize("fault", [BUSY, DROP, STALL])
    async def test_is_given_up_in_the_end(
        self, far: Blobs, faults: Faults, bucket: Blobs, tmp_path: Path, key: str, fault: str
    ):
        await bucket.put(key, _chunks(b"before"))
        faults.always = fault
        async with asyncio.timeout(10):
            answers = await asyncio.gather(
                far.fetch(key, tmp_path / "target"),
                far.put(key, _chunks(bytes(11_000_000))),
                far.size(key),
                far.remove(key),
                far.remove_all("ada"),
                far.check(),
                return_exceptions=True,
            )
        assert [type(answer) for answer in answers] == [PartUnavailable] * 6
        assert len(faults.requests) <= 6 * (1 + 5)
        # What is there is what was there.
        await bucket.fetch(key, tmp_path / "target")
        assert (tmp_path / "target").read_bytes() == b"before"

    async def test_keeps_no_part_of_what_broke_off(
        self, bucket: Blobs, environment: dict[str, str], key: str
    ):
        with pytest.raises(ConnectionError, match="gone"):
            await bucket.put(key, _chunks(bytes(11_000_000), error=ConnectionError("gone")))
        assert await bucket.size(key) is None
        async with httpx.AsyncClient() as client:
            listed = await client.get(f"{environment['AWS_ENDPOINT_URL']}/sounds?uploads")
        assert "ListMultipartUploadsResult" in listed.text
        assert f"<Key>{key}</Key>" not in listed.text
