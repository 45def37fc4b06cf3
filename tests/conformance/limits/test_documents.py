"""Persisted documents as other people's tools send them, and the lists that their builds make."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import pytest
import uvicorn

from samplemind.domain.ids import new_id
from samplemind.server.app import make_app
from samplemind.settings import Settings
from tests.conformance.node import installed, needs_node, run

pytestmark = needs_node

_SCHEMA = Path(__file__).parents[3] / "schema.graphql"


@pytest.fixture(scope="module")
def folder() -> Path:
    return installed(Path(__file__).parent)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@contextlib.asynccontextmanager
async def serving(settings: Settings, **changed: Any) -> AsyncIterator[str]:
    """The address of an API with these settings."""
    app = make_app(settings.model_copy(update=changed))
    server = _Server(uvicorn.Config(app, port=0, log_config=None))
    task = asyncio.create_task(server.serve())
    await server.ready.wait()
    host, port = server.servers[0].sockets[0].getsockname()
    yield f"http://{host}:{port}/graphql"
    server.should_exit = True
    await task


async def answer(address: str, **body: Any) -> dict[str, Any]:
    async with httpx.AsyncClient() as client:
        return (await client.post(address, json=body)).json()


async def refuses_all_others(address: str) -> None:
    for query in ("{ viewer { id } }", "{ __schema { types { name } } }"):
        [error] = (await answer(address, query=query))["errors"]
        assert error["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_apollo_client_sends_a_text_once(
    folder: Path, settings: Settings, method: str
) -> None:
    async with serving(settings) as address:
        output = await run(folder, "node", "apollo_apq.mjs", address, method, f"Apq{new_id()}")
    told = json.loads(output)
    assert told["answers"] == ["local", "local"]
    # The hash alone, which nobody knows; the text with it; then the hash alone.
    assert [each["withText"] for each in told["sent"]] == [False, True, False]
    assert told["sent"][0]["method"] == told["sent"][2]["method"] == method


async def test_the_list_of_graphql_codegen(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "persisted-documents.json"
    await run(folder, "node", "codegen.mjs", str(_SCHEMA), str(path))
    listed = json.loads(path.read_text())
    assert len(listed) == 2
    [viewer] = [id_ for id_, text in listed.items() if text.startswith("query Viewer")]
    async with serving(settings, trusted_documents=path) as address:
        told = await answer(address, documentId=viewer)
        assert told["data"]["viewer"]["username"] == "local"
        await refuses_all_others(address)


async def test_the_manifest_of_apollo(folder: Path, settings: Settings, tmp_path: Path) -> None:
    path, config = tmp_path / "manifest.json", tmp_path / "config.json"
    config.write_text(json.dumps({"documents": "documents/*.graphql", "output": str(path)}))
    await run(folder, "generate-persisted-query-manifest", "--config", str(config))
    async with serving(settings, trusted_documents=path) as address:
        output = await run(folder, "node", "apollo_trusted.mjs", address, str(path))
        assert json.loads(output)["username"] == "local"
        await refuses_all_others(address)
