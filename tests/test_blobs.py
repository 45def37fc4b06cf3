"""Audio bytes in a folder."""

from pathlib import Path

import pytest

from samplemind.blobs import Blobs

_SHA256 = "ab" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(folder: Path) -> Blobs:
    return Blobs(folder.as_uri())


def _files(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("size", [0, 1, 20_000_000])
async def test_bytes_come_back(blobs: Blobs, tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    for _ in range(2):
        await blobs.put("ada", _SHA256, source)
    await blobs.fetch("ada", _SHA256, target)
    assert target.read_bytes() == source.read_bytes()


async def test_owners_do_not_meet(blobs: Blobs, folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for owner in ("ada", "bob"):
        source.write_text(owner)
        await blobs.put(owner, _SHA256, source)
    await blobs.remove("ada", _SHA256)
    await blobs.fetch("bob", _SHA256, tmp_path / "target")
    assert (tmp_path / "target").read_text() == "bob"
    assert _files(folder) == [_SHA256]


async def test_what_is_not_there_is_not_found(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await blobs.fetch("ada", _SHA256, tmp_path / "target")


async def test_removing_twice_is_harmless(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("sound")
    await blobs.put("ada", _SHA256, tmp_path / "source")
    await blobs.remove("ada", _SHA256)
    await blobs.remove("ada", _SHA256)
    with pytest.raises(FileNotFoundError):
        await blobs.fetch("ada", _SHA256, tmp_path / "target")


async def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "my sounds ü 100%"
    (tmp_path / "source").write_text("sound")
    await Blobs(folder.as_uri()).put("ada", _SHA256, tmp_path / "source")
    assert _files(folder) == [_SHA256]


async def test_check_answers_for_a_folder(blobs: Blobs) -> None:
    await blobs.check()
