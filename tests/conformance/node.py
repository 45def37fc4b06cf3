"""Other people's JavaScript, run as they ship it: a folder with a package.json and programs."""

import asyncio
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

NPM = shutil.which("npm")
needs_node = pytest.mark.skipif(NPM is None, reason="needs Node with npm")


def installed(folder: Path) -> Path:
    """`folder` with what its package-lock.json pins in node_modules; installed only once."""
    lock = (folder / "package-lock.json").read_bytes()
    state, wanted = folder / "node_modules" / ".lock.sha256", hashlib.sha256(lock).hexdigest()
    if not state.exists() or state.read_text() != wanted:
        assert NPM is not None
        subprocess.run(
            (NPM, "ci", "--no-audit", "--no-fund", "--loglevel=error"), cwd=folder, check=True
        )
        state.write_text(wanted)
    return folder


async def run(folder: Path, *command: str, seconds: float = 100, **env: str) -> str:
    """What `command` prints, run in `folder` with its own tools on the PATH. Fails where it does.

    On the loop's side of an await, so that a test may answer it meanwhile.
    """
    path = f"{folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PATH": path, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
    except BaseException:
        process.kill()
        raise
    text = output.decode(errors="replace")
    assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}:\n{text}"
    return text
