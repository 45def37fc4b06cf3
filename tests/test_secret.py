"""The secret: given, or made once for all who share the data directory."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from samplemind.refusal import CannotStart
from samplemind.secret import with_secret
from samplemind.settings import Settings


def test_one_that_is_given_is_kept_as_it_is(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", secret="s" * 32)
    assert with_secret(settings) == settings
    assert not settings.data_dir.exists()


def test_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", secret="")
    with ThreadPoolExecutor(8) as pool:
        secrets = {each.secret for each in pool.map(with_secret, [settings] * 8)}
    secrets.add(with_secret(settings).secret)
    [secret] = secrets
    assert len(secret) == 64
    [file] = settings.data_dir.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_each_data_directory_has_its_own(tmp_path: Path) -> None:
    folders = (tmp_path / name for name in "ab")
    assert len({with_secret(Settings(data_dir=folder)).secret for folder in folders}) == 2


def test_one_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="SAMPLEMIND_SECRET"):
        with_secret(Settings(data_dir=tmp_path, secret="s" * 31))


def test_a_former_one_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    """It is not signed with any more, but what is signed with it is read."""
    with pytest.raises(CannotStart, match="SAMPLEMIND_FORMER_SECRETS"):
        with_secret(Settings(data_dir=tmp_path, secret="s" * 32, former_secrets=("changeme",)))
