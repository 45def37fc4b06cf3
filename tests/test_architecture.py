"""The house stands as it was drawn: imports point down only."""

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parent.parent


def test_the_import_contracts_hold() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
