# TEMPORARY (development only, removed before commit): reuse a running server.
import os
from pathlib import Path

import pytest

from tests.server import Server

if os.environ.get("DEV_SERVER"):

    @pytest.fixture(scope="session")
    async def server(sounds):
        yield Server(
            "http://127.0.0.1:8765",
            Path("/tmp/e2edev/data"),
            int(Path("/tmp/e2edev/pid").read_text()),
            sounds,
        )
