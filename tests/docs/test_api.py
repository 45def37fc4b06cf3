"""docs/api.md is true: its operations run, its answers are such answers, its codes are all."""

import contextlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from graphql import GraphQLEnumType, build_schema

import samplemind.jobs.analysis  # noqa: F401 - its errors are among all
from samplemind.domain import errors
from tests.docs.guide import Operation, Story, codes, commands, operations
from tests.server import HTTP, Server, running_server

_ROOT = Path(__file__).parents[2]
_GUIDE = _ROOT / "docs/api.md"
_SCHEMA = build_schema((_ROOT / "schema.graphql").read_text())
# As codes are written, and enum values, which the schema names.
_CODE = re.compile(r'"([A-Z]+(?:_[A-Z]+)+)"')


@pytest.fixture(scope="module")
async def server(
    tmp_path_factory: pytest.TempPathFactory, sounds: list[Path]
) -> AsyncIterator[Server]:
    """One that nobody else stores sounds on: the guide tells what a library of ten answers."""
    with running_server(tmp_path_factory.mktemp("guide"), sounds) as server:
        for sound in sounds:
            assert server.upload(sound)["errors"] == []
        batch = await server.batch(filter={}, level="DETAILED")
        assert batch["status"] == "SUCCEEDED"
        yield server


def _kick(sounds: list[Path]) -> bytes:
    """A kick of the library in another file: the guide's own, that it may delete."""
    [path] = [path for path in sounds if path.stem == "bd_haus"]
    y, rate = soundfile.read(path)
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", rate, y.ndim, format="WAV") as file:
        file.title = "Kick"
        file.write(y * (1 - np.random.default_rng().uniform(0, 0.1)))
    return content.getvalue()


def _asked(server: Server, operation: Operation, story: Story) -> Any:
    """The answer; where it is a place for bytes, they are sent."""
    content, variables = _kick(server.sounds), story.told(operation.variables)
    if "sizeBytes" in variables:
        variables["sizeBytes"] = len(content)
    body = {"query": operation.query, "variables": variables}
    if "Upload!" not in operation.query:
        answer = HTTP.post(f"{server.url}/graphql", json=body).json()
    else:
        answer = HTTP.post(
            f"{server.url}/graphql",
            data={"operations": json.dumps(body), "map": '{"0": ["variables.file"]}'},
            files={"0": ("kick.wav", content)},
            headers={"apollo-require-preflight": "true"},
        ).json()
    if announced := (answer.get("data") or {}).get("requestUpload"):
        HTTP.put(announced["url"], content=content).raise_for_status()
    return answer


async def _watched(server: Server, operation: Operation, story: Story) -> list[Any]:
    """Every event, until the server ends it, or an analysis has succeeded."""
    events: list[Any] = []
    stream = server.watch(operation.query, **story.told(operation.variables))
    async with contextlib.aclosing(stream):
        async for event in stream:
            events.append({"data": event})
            if event.get("analysisUpdated", {}).get("status") == "SUCCEEDED":
                break
    return events


async def test_every_operation_is_answered_as_the_guide_says(server: Server) -> None:
    story, told = Story(), operations(_GUIDE)
    assert len(told) > 15
    for operation in told:
        at = f"docs/api.md:{operation.line}"
        assert operation.answers, f"{at} has no answer"
        if operation.is_subscription:
            real = await _watched(server, operation, story)
            story.check(operation.answers[0], real[0], at)
            story.check(operation.answers[-1], real[-1], at)
        else:
            [documented] = operation.answers
            story.check(documented, _asked(server, operation, story), at)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("command", commands(_GUIDE))
def test_every_command_is_answered(command: str, server: Server, tmp_path: Path) -> None:
    (tmp_path / "kick.wav").write_bytes(_kick(server.sounds))
    command = command.replace("http://127.0.0.1:8000", server.url)
    done = subprocess.run(
        ("sh", "-c", command), cwd=tmp_path, capture_output=True, timeout=30, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["data"]
    assert "errors" not in answer
    for payload in answer["data"].values():
        assert payload.get("errors", []) == []


def test_every_code_is_in_the_guide() -> None:
    """All that the code can answer, and no others."""
    folders = ("samplemind/domain", "samplemind/jobs", "samplemind/server", "schema", "resolvers")
    sources = [path for folder in folders for path in (_ROOT / folder).rglob("*.py")]
    enums = (type_ for type_ in _SCHEMA.type_map.values() if isinstance(type_, GraphQLEnumType))
    said = {text for path in sources for text in _CODE.findall(path.read_text())}
    said -= {value for enum in enums for value in enum.values}
    said |= {error.code for error in _all_errors(errors.DomainError)}
    assert codes(_GUIDE) == said


def _all_errors(error: type[errors.DomainError]) -> list[type[errors.DomainError]]:
    return [sub for child in error.__subclasses__() for sub in [child, *_all_errors(child)]]


@pytest.mark.parametrize(
    "documented",
    [{"a": {"b": 2}}, {"a": {"b": 1, "c": 1}}, {"a": {"code": "X"}}, {"a": []}, {"a": "text"}],
)
def test_a_wrong_answer_is_noticed(documented: Any) -> None:
    real = {"a": {"b": "text"}} if "code" not in str(documented) else {"a": {"code": "Y"}}
    with pytest.raises(AssertionError):
        Story().check(documented, real)
