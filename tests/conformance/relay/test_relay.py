"""Relay on the real schema: its compiler takes our fragments, its runtime runs what they become."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.node import installed, needs_node, run
from tests.e2e import sounds
from tests.server import Server

pytestmark = needs_node

_FOLDER = Path(__file__).parent

_FILES = """
query ($after: String) {
  audioFiles(first: 200, after: $after, orderBy: {field: FILENAME, direction: ASC}) {
    edges { node { id } } pageInfo { hasNextPage endCursor }
  }
}
"""
_SIMILAR = """
query ($id: ID!, $after: String) {
  similarTo(target: {audioFileId: $id}, first: 200, after: $after) {
    edges { node { id } } pageInfo { hasNextPage endCursor }
  }
}
"""


def _everything(server: Server, query: str, name: str, **variables: Any) -> list[str]:
    found, after = [], None
    while True:
        connection = server.ask(query, after=after, **variables)[name]
        found += [edge["node"]["id"] for edge in connection["edges"]]
        if not connection["pageInfo"]["hasNextPage"]:
            return found
        after = connection["pageInfo"]["endCursor"]


@pytest.fixture(scope="module")
async def folder() -> Path:
    """With the artifacts that relay-compiler has made."""
    folder = installed(_FOLDER)
    (folder / "__generated__").mkdir(exist_ok=True)
    said = await run(folder, "relay-compiler")
    assert "[ERROR]" not in said
    return folder


async def test_relay_runs_on_the_server(server: Server, folder: Path) -> None:
    renamed, deleted = (
        server.upload(sounds.encoded(sounds.tone(hertz)), f"relay {hertz}.wav", level="STANDARD")
        for hertz in (440, 330)
    )
    renamed, deleted = renamed["audioFile"]["id"], deleted["audioFile"]["id"]
    for id_ in (renamed, deleted):
        assert (await server.analyzed(id_))["status"] == "SUCCEEDED"
    files = _everything(server, _FILES, "audioFiles")
    similar = _everything(server, _SIMILAR, "similarTo", id=renamed)

    output = await run(folder, "node", "program.js", renamed, deleted, SAMPLEMIND_URL=server.url)
    # The rest are warnings of other people's.
    lines = [line for line in output.splitlines() if line.startswith("{")]
    assert len(lines) == 1, output
    said = json.loads(lines[0])

    assert said["viewer"] == "local"
    assert said["sizes"] == [3, *range(7, len(files), 4), len(files)]
    assert said["total"] == len(files)
    assert said["files"] == said["oldest"] == files
    assert said["similar"] == similar
    assert said["refetched"] == ["libraryFileRefetchQuery"]
    assert said["before"]["filename"] == "relay 440.wav"
    assert said["before"]["analysis"]["kind"] == "ONE_SHOT"
    assert (said["after"]["filename"], said["after"]["tags"]) == ("zebra.wav", ["renamed"])
    assert said["after"]["analysis"] == said["before"]["analysis"]
    assert said["listed"] == "zebra.wav"
    assert said["left"] == [id_ for id_ in files if id_ != deleted]
    assert said["events"] == sorted(said["events"])
    assert (said["batch"]["status"], said["batch"]["completed"]) == ("SUCCEEDED", 1)
