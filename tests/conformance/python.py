"""Other people's Python, run as they ship it: each folder has a requirements.lock, and gets an
environment of its own, since its graphql-core is often not the server's."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import node

UV = Path(sys.executable).with_name("uv")
needs_uv = pytest.mark.skipif(not UV.exists(), reason="needs uv, which deploy/venv.sh installs")


def installed(folder: Path) -> Path:
    """`folder` with what its requirements.lock pins in .venv; installed only once."""
    lock, venv = folder / "requirements.lock", folder / ".venv"
    state, wanted = venv / ".lock.sha256", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not state.exists() or state.read_text() != wanted:
        _uv("venv", "--clear", "--python", sys.executable, str(venv))
        python = str(venv / "bin" / "python")
        _uv("pip", "install", "--require-hashes", "--python", python, "-r", str(lock))
        state.write_text(wanted)
    return folder


async def run(folder: Path, *command: str, **env: str) -> str:
    """What `command` prints, run in `folder` with its own environment. Fails where it does."""
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return await node.run(folder, *command, seconds=100, **{"PATH": path, **env})


def _uv(*arguments: str) -> None:
    """uv, told what pip is told: it does not read pip's settings."""
    env = dict(os.environ)
    index = env.get("PIP_INDEX_URL") or _pip_index()
    if index:
        env.setdefault("UV_DEFAULT_INDEX", index)
    if "PIP_CERT" in env:
        env.setdefault("SSL_CERT_FILE", env["PIP_CERT"])
    subprocess.run((UV, "--quiet", *arguments), env=env, check=True)


def _pip_index() -> str:
    command = (sys.executable, "-m", "pip", "config", "get", "global.index-url")
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
