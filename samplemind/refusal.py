"""When SampleMind does not start, and says why."""

import ipaddress

from pydantic import ValidationError

from samplemind.domain.errors import AiNotConfigured
from samplemind.settings import Settings

SHORTEST_SECRET = 32
_FEWEST_CHARACTERS = 8


class CannotStart(Exception):
    """Its text says what is the matter and what to do; no traceback is needed."""


def refuse_unsafe(settings: Settings) -> None:
    """Who listens to others lets them sign in, and signs with a secret of the operator's own.

    Raises CannotStart.
    """
    host = settings.host
    if is_loopback(host):
        return
    if not settings.auth_required:
        raise CannotStart(
            f"SampleMind does not listen on {host} without sign-in, since all who reach it would "
            "be one user: set SAMPLEMIND_AUTH_REQUIRED=true, or SAMPLEMIND_HOST=127.0.0.1."
        )
    if _can_be_guessed(settings.secret):
        raise CannotStart(
            f"To listen on {host}, SampleMind needs a secret that nobody can guess: set "
            f"SAMPLEMIND_SECRET to what `openssl rand -hex 32` makes ({SHORTEST_SECRET} characters "
            "or more, and not the same few again and again)."
        )
    if any(map(_can_be_guessed, settings.former_secrets)):
        raise CannotStart(
            "One of SAMPLEMIND_FORMER_SECRETS can be guessed, and whoever does so can sign with it "
            "still: take it out. Who was signed in by it has to sign in again."
        )


def _can_be_guessed(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < _FEWEST_CHARACTERS


def in_a_sentence(error: ValidationError) -> str:
    """What is wrong with a setting, for people. The value is left out: it may be a secret."""
    found = error.errors(include_input=False)[0]
    name = "SAMPLEMIND_" + "_".join(map(str, found["loc"])).upper()
    return f"{name}: {found['msg']}."


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_without_ai(settings: Settings) -> None:
    """Who is to ask has somebody to ask. Raises CannotStart."""
    if not settings.asks_ai:
        raise CannotStart(str(AiNotConfigured()))


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
