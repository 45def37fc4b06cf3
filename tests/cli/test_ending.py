"""How commands end that have used obstore: at once, with the exit code that they mean."""

import subprocess
import sys
from pathlib import Path

from tests.cli.commands import environment
from tests.server import Server

_COMMAND = """
import atexit
from samplemind.cli import app
atexit.register(print, "the interpreter has ended")
app()
"""


def test_the_exit_code_is_the_command_s(server: Server, tmp_path: Path) -> None:
    for arguments, code, stream in (
        (("migrate",), 0, "The documents are at version"),
        (("restore", str(tmp_path)), 1, "There is no snapshot"),
    ):
        ended = subprocess.run(
            [sys.executable, "-c", _COMMAND, *arguments],
            env=environment(SAMPLEMIND_DATA_DIR=str(server.data_dir)),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == code
        assert stream in ended.stdout + ended.stderr
        assert "the interpreter has ended" not in ended.stdout
