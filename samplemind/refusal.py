"""When SampleMind does not start, and says why."""

import ipaddress

from samplemind.settings import Settings


class CannotStart(Exception):
    """Its text says what is the matter and what to do; no traceback is needed."""


def refuse_remote(settings: Settings) -> None:
    """There is no sign-in yet, so only this machine may reach the API. Raises CannotStart."""
    if not (settings.allow_remote or _is_loopback(settings.host)):
        raise CannotStart(
            f"SampleMind does not listen on {settings.host}: it has no sign-in yet, so it serves "
            "this machine only. Set SAMPLEMIND_HOST to 127.0.0.1; or, in a container whose port is "
            "published to this machine alone, SAMPLEMIND_ALLOW_REMOTE to true."
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_without_addresses(settings: Settings) -> None:
    """One process on its own starts no parts. Raises CannotStart, naming what is missing."""
    missing = [
        f"SAMPLEMIND_{name.upper()}"
        for name in ("mongo_url", "redis_url", "chroma_url", "blob_url")
        if not getattr(settings, name)
    ]
    if missing:
        raise CannotStart(
            f"Set {', '.join(missing)}: one process on its own needs the address of every part. "
            "`samplemind serve` starts the parts itself."
        )
