"""Passwords: argon2id through pwdlib, in threads, since a hash takes a core for a while."""

import asyncio
import os
import secrets
import unicodedata
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_passwords = PasswordHash((Argon2Hasher(),))

# Each takes 64 MiB for as long as it runs.
_hashing = asyncio.Semaphore(os.cpu_count() or 1)


async def hashed(password: str) -> str:
    async with _hashing:
        return await asyncio.to_thread(_passwords.hash, _typed(password))


async def verified(password: str, hash_: str | None) -> tuple[bool, str | None]:
    """Whether the hash is the password's, and a new hash where it was made in an older way.

    None stands for nobody's hash and takes as long as somebody's.
    """
    async with _hashing:
        if hash_ is None:
            await asyncio.to_thread(_passwords.verify, password, await _nobodys())
            return False, None
        return await asyncio.to_thread(_passwords.verify_and_update, _typed(password), hash_)


def _typed(password: str) -> str:
    """The same whichever keyboard it was typed on (RFC 8265)."""
    return unicodedata.normalize("NFC", password)


async def warm_up() -> None:
    """Makes nobody's hash before the first stranger waits for it."""
    await _nobodys()


async def _nobodys() -> str:
    return await asyncio.to_thread(_nobodys_hash)


@lru_cache(1)
def _nobodys_hash() -> str:
    return _passwords.hash(secrets.token_urlsafe())
