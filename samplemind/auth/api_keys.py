"""The secrets of API keys: random enough that a fast hash keeps them."""

import hashlib
import secrets

PREFIX = "smk_"
_SHOWN = len(PREFIX) + 6


def new_secret() -> str:
    """256 random bits, known as ours by how they begin."""
    return PREFIX + secrets.token_urlsafe(32)


def shown(secret: str) -> str:
    """How it begins: enough to know it by."""
    return secret[:_SHOWN]


def digest(secret: str) -> str:
    """What is stored of it."""
    return hashlib.sha256(secret.encode()).hexdigest()
