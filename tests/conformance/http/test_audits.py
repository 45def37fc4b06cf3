"""GraphQL over HTTP as graphql-http audits it: every MUST, SHOULD and MAY."""

import json
from pathlib import Path

from tests.conformance import node
from tests.server import Server

FOLDER = Path(__file__).parent


@node.needs_node
async def test_every_audit_is_passed(server: Server):
    folder = node.installed(FOLDER)
    audits = json.loads(await node.run(folder, "node", "audits.js", f"{server.url}/graphql"))
    assert len(audits) == 61
    assert [audit for audit in audits if audit["status"] != "ok"] == []
