"""Uploads as Apollo Client sends them, through apollo-upload-client."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.conformance import node
from tests.server import Server

FOLDER = Path(__file__).parent


@node.needs_node
async def test_files_arrive_as_they_were_sent(server: Server):
    first, second = server.sounds[:2]
    folder = node.installed(FOLDER)
    command = ("node", "uploads.js", f"{server.url}/graphql", str(first), str(second))
    answers = json.loads(await node.run(folder, *command))
    assert _stored(answers["file"]) == [_hash(first)]
    assert _stored(answers["several"]) == [_hash(first), _hash(second)]
    assert _stored(answers["same"]) == [_hash(second), _hash(second)]
    assert _stored(answers["blob"]) == [_hash(first)]
    assert answers["none"]["viewer"]["username"]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _stored(answer: dict[str, Any]) -> list[str]:
    assert [payload["errors"] for payload in answer.values()] == [[]] * len(answer)
    return [payload["audioFile"]["sha256"] for payload in answer.values()]
