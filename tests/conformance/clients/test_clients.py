"""Clients that others' generators make of our schema compile, run, and get what plain HTTP gets."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

from samplemind.domain.ids import new_id
from tests.conformance import node, python
from tests.conformance.node import needs_node
from tests.conformance.python import needs_uv
from tests.e2e.sounds import RATE, tone
from tests.server import HTTP, Server

_HERE = Path(__file__).parent
_SCHEMA = str(_HERE.parents[2] / "schema.graphql")
_LIBRARY = (_HERE / "library.graphql").read_text()


def _titled(hertz: float) -> bytes:
    """A tone with an embedded title, so that `metadata` has something to say."""
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", RATE, 1, format="WAV") as file:
        file.title = f"{hertz} Hz"
        file.write(tone(hertz))
    return content.getvalue()


@pytest.fixture(scope="module")
async def library(server: Server) -> dict[str, str]:
    """What a program is told by its environment: the server, and the tag of three tones."""
    tag = new_id()
    for hertz in (220, 330, 440):
        assert server.upload(_titled(hertz), f"{hertz}.wav", tags=[tag])["errors"] == []
    assert (await server.batch(filter={"tags": [tag]}))["status"] == "SUCCEEDED"
    return {"SERVER": server.url, "TAG": tag}


def _expected(library: dict[str, str]) -> dict[str, Any]:
    """What plain HTTP answers to what the programs ask."""

    def ask(operation: str, **variables: Any) -> dict[str, Any]:
        body = {"query": _LIBRARY, "operationName": operation, "variables": variables}
        return HTTP.post(f"{library['SERVER']}/graphql", json=body).json()["data"]

    chosen = {"tags": [library["TAG"]]}
    order = {"field": "FILENAME", "direction": "ASC"}
    answers = ask("Library", first=2, filter=chosen, orderBy=order)
    seed = answers["audioFiles"]["edges"][0]["node"]
    assert (seed["filename"], seed["metadata"]["title"]) == ("220.wav", "220 Hz")
    return answers | ask("Similar", target={"audioFileId": seed["id"]}, first=2)


def _printed(output: str) -> dict[str, Any]:
    return json.JSONDecoder().raw_decode(output)[0]


@pytest.fixture(scope="module")
async def compiled() -> Path:
    """This folder, with both TypeScript programs compiled against what their generators wrote."""
    folder = node.installed(_HERE)
    scalars = {"DateTime": "string", "JSON": "Record<string, unknown>", "Upload": "File"}
    options = [f"--scalar={name}:{type_}" for name, type_ in scalars.items()]
    await node.run(folder, "genql", "--schema", _SCHEMA, "-o", "genql/generated", *options)
    await node.run(folder, "node", "codegen/generate.mjs")
    await node.run(folder, "tsc", "--project", ".")
    return folder


@needs_node
@pytest.mark.parametrize("client", ["codegen", "genql"])
async def test_typescript_gets_what_plain_http_gets(
    client: str, compiled: Path, library: dict[str, str]
) -> None:
    output = await node.run(compiled, "node", f"dist/{client}/main.js", **library)
    assert _printed(output) == _expected(library)


@needs_uv
async def test_gql_gets_what_plain_http_gets(library: dict[str, str]) -> None:
    folder = python.installed(_HERE / "gql")
    answers = _printed(await python.run(folder, "python", "main.py", **library))
    progress = answers.pop("progress")
    assert answers == _expected(library)
    assert [event["sequence"] for event in progress] == list(range(1, len(progress) + 1))
    assert progress[-1]["batchJob"] == {"status": "SUCCEEDED", "completed": 3}


@needs_uv
async def test_sgqlc_gets_what_plain_http_gets(library: dict[str, str]) -> None:
    folder = python.installed(_HERE / "sgqlc")
    for command in _sgqlc_generates(library["SERVER"]):
        await python.run(folder, *command)
    output = await python.run(folder, "python", "main.py", **library)
    assert _printed(output) == _expected(library)


def _sgqlc_generates(server: str) -> Iterator[tuple[str, ...]]:
    schema = "generated/schema"
    yield ("mkdir", "-p", "generated")
    yield ("python", "-m", "sgqlc.introspection", f"{server}/graphql", f"{schema}.json")
    yield ("sgqlc-codegen", "schema", "--docstrings", f"{schema}.json", f"{schema}.py")
    operations = ("generated/operations.py", "../library.graphql")
    yield ("sgqlc-codegen", "operation", "--schema", f"{schema}.json", ".schema", *operations)
