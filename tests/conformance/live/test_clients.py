"""The clients that frontends use, as their makers ship them, live against the server."""

from pathlib import Path

import pytest

from tests.conformance.node import installed, needs_node, run
from tests.server import Server

_HERE = Path(__file__).parent

pytestmark = needs_node


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "apollo", "urql"])
async def test_a_client_is_served(server: Server, client: str):
    url = f"{server.url}/graphql"
    await run(installed(_HERE), "node", f"{client}.mjs", GRAPHQL_URL=url)
