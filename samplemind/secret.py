"""The secret that tokens and links are signed with."""

import os
import secrets
import uuid

from samplemind.refusal import SHORTEST_SECRET, CannotStart
from samplemind.settings import Settings


def with_secret(settings: Settings) -> Settings:
    """The settings with a secret: the one given, else the one in the data directory, which is
    made at the first start. Raises CannotStart where it is too short to protect anything."""
    secret = settings.secret or _kept(settings)
    if len(secret) < SHORTEST_SECRET:
        raise CannotStart(
            f"SAMPLEMIND_SECRET is shorter than {SHORTEST_SECRET} characters, so it can be "
            "guessed: make one with `openssl rand -hex 32`."
        )
    if any(len(former) < SHORTEST_SECRET for former in settings.former_secrets):
        raise CannotStart(
            f"One of SAMPLEMIND_FORMER_SECRETS is shorter than {SHORTEST_SECRET} characters: no "
            "server has signed with it, and whoever guesses it could."
        )
    return settings.model_copy(update={"secret": secret})


def _kept(settings: Settings) -> str:
    """Several processes may start at once: the first file that is there whole is everybody's."""
    path = settings.data_dir / "secret"
    if not path.exists():
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"secret.{uuid.uuid4().hex}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)
    return path.read_text().strip()
