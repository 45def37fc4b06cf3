"""The schema by others' linters: graphql-eslint for style, graphql-inspector for what breaks."""

import re
from pathlib import Path

import pytest

from tests.conformance import node
from tests.conformance.node import needs_node

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_SCHEMA, _CONTRACT = _ROOT / "schema.graphql", _ROOT / "tests/schema/contract.graphql"

pytestmark = needs_node


@pytest.fixture(scope="module")
def folder() -> Path:
    return node.installed(_HERE)


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    """A schema that says one field less, and breaks a rule of each kind."""
    sdl = _SCHEMA.read_text()
    for good, bad in {
        '  """1 is mono, 2 is stereo."""\n  channels: Int!\n\n': "",
        '  """The file it is about."""\n': "",
        "edges: [AnalysisEdge!]!": "edges: Int",
        "  sha256: String!": "  sha256: String! @deprecated",
        "  centroidHz: Float!": "  zebra: Float!",
    }.items():
        assert sdl.count(good) == 1
        sdl = sdl.replace(good, bad)
    path = tmp_path / "schema.graphql"
    path.write_text(sdl)
    return path


async def lint(folder: Path, schema: Path) -> str:
    eslint = str(folder / "node_modules/.bin/eslint")
    config = str(folder / "eslint.config.mjs")
    return await node.run(schema.parent, eslint, "--config", config, schema.name)


async def test_graphql_eslint_finds_nothing(folder: Path) -> None:
    assert await lint(folder, _SCHEMA) == ""


async def test_graphql_eslint_finds_what_is_wrong(folder: Path, spoiled: Path) -> None:
    with pytest.raises(AssertionError) as refused:
        await lint(folder, spoiled)
    assert {*re.findall(r"@graphql-eslint/([\w-]+)$", str(refused.value), re.M)} >= {
        "alphabetize",
        "relay-connection-types",
        "require-deprecation-reason",
        "require-description",
    }


async def breaking(folder: Path, before: Path, after: Path) -> list[str]:
    output = await node.run(folder, "node", "breaking.mjs", str(before), str(after))
    return output.splitlines()


async def test_graphql_inspector_finds_the_contract_unbroken(folder: Path) -> None:
    assert await breaking(folder, _CONTRACT, _SCHEMA) == []


async def test_graphql_inspector_finds_what_breaks(folder: Path, spoiled: Path) -> None:
    found = await breaking(folder, _CONTRACT, spoiled)
    assert "Field 'channels' was removed from object type 'AudioFile'" in found
