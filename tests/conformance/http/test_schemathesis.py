"""schemathesis on the whole schema, with many examples a field: whatever is asked, the server
holds."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from string import Template

import pytest

from tests.conformance import node, python
from tests.e2e import sounds
from tests.server import Server, running_server

FOLDER = Path(__file__).parent
# Of each field. Mutations are more, cost more, and take less.
EXAMPLES = {"Query": 100, "Mutation": 40}


@pytest.fixture
async def throwaway(tmp_path: Path) -> AsyncIterator[tuple[Server, dict[str, str]]]:
    """A server that may be changed in any way, and the ids of what it holds."""
    with running_server(tmp_path / "server", []) as server:
        seed, changed = (
            server.upload(sounds.encoded(sounds.tone()), level="DETAILED") for _ in range(2)
        )
        batch = await server.batch(filter={}, level="DETAILED")
        assert batch["status"] == "SUCCEEDED"
        yield (
            server,
            {
                "SEED": seed["audioFile"]["id"],
                "CHANGED": changed["audioFile"]["id"],
                "ANALYSIS": changed["analysis"]["id"],
                "BATCH_JOB": batch["id"],
            },
        )


@python.needs_uv
@pytest.mark.timeout(600)
async def test_no_operation_is_a_server_error(
    throwaway: tuple[Server, dict[str, str]], tmp_path: Path
):
    server, ids = throwaway
    folder, config = python.installed(FOLDER), tmp_path / "schemathesis.toml"
    config.write_text(Template((FOLDER / "schemathesis.toml").read_text()).substitute(ids))
    program = str(folder / ".venv" / "bin" / "schemathesis")
    command = (program, f"--config-file={config}", "run", f"{server.url}/graphql", "--no-color")
    # A process for each, since generating the examples takes longer than answering them.
    outputs = await asyncio.gather(
        *(
            node.run(
                folder,
                *command,
                f"--include-name-regex=^{kind}",
                f"--max-examples={examples}",
                seconds=580,
            )
            for kind, examples in EXAMPLES.items()
        )
    )
    for output in outputs:
        assert "never returned data" not in output, output
    log = (server.data_dir / "stderr.log").read_text()
    assert not re.search("(operation|request) failed", log)
