"""Where the databases of a running `serve` are, for commands on the same data directory."""

import json
import os
from pathlib import Path

from samplemind.refusal import refuse_without_addresses
from samplemind.settings import Settings

_NAMES = ("mongo_url", "redis_url", "chroma_url", "blob_url")


def write_addresses(settings: Settings) -> None:
    """For their owner's eyes: an address may hold a password."""
    path = _path(settings)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({name: getattr(settings, name) for name in _NAMES}, file)


def remove_addresses(settings: Settings) -> None:
    _path(settings).unlink(missing_ok=True)


def with_addresses(settings: Settings) -> Settings:
    """The settings with every address: those given, else those of a running `serve`.

    Raises CannotStart where there are none.
    """
    path = _path(settings)
    known = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: known[name] for name in known if not getattr(settings, name)}
    settings = settings.model_copy(update=missing)
    refuse_without_addresses(settings)
    return settings


def _path(settings: Settings) -> Path:
    return settings.data_dir / "run" / "addresses"
