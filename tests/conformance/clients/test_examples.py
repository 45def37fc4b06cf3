"""The clients in examples/ do what their READMEs say."""

import re
import sys
from pathlib import Path

import pytest

from tests.conformance import node, python
from tests.conformance.node import needs_node
from tests.conformance.python import needs_uv
from tests.e2e import sounds
from tests.server import Server

_EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture
def paths(tmp_path: Path) -> list[str]:
    """Two notes and a loop, that no other test has."""
    made = {"low.wav": sounds.tone(220), "high.wav": sounds.tone(880), "loop.wav": sounds.beat(120)}
    for name, y in made.items():
        (tmp_path / name).write_bytes(sounds.encoded(y))
    return [str(tmp_path / name) for name in made]


@pytest.fixture(scope="module")
def typescript() -> Path:
    return node.installed(_EXAMPLES / "typescript")


@needs_node
async def test_typescript(server: Server, paths: list[str], typescript: Path) -> None:
    folder = typescript
    await node.run(folder, "npm", "run", "generate")
    await node.run(folder, "npm", "run", "build")
    start = ("npm", "start", "--silent", "--")
    tells_the_story(await node.run(folder, *start, *paths, SAMPLEMIND_URL=server.url))
    with pytest.raises(AssertionError, match=r"NOT_AUDIO: .*README\.md"):
        await node.run(folder, *start, "README.md", SAMPLEMIND_URL=server.url)


@needs_uv
async def test_python(server: Server, paths: list[str]) -> None:
    folder = python.installed(_EXAMPLES / "python")
    await python.run(folder, "ariadne-codegen")
    pyright = Path(sys.executable).with_name("pyright")
    await python.run(folder, str(pyright), "--pythonpath", ".venv/bin/python", "main.py")
    start = ("python", "main.py")
    tells_the_story(await python.run(folder, *start, *paths, SAMPLEMIND_URL=server.url))
    with pytest.raises(AssertionError, match=r"NOT_AUDIO: .*README\.md"):
        await python.run(folder, *start, "README.md", SAMPLEMIND_URL=server.url)


def tells_the_story(output: str) -> None:
    """Three uploads, each step of the batch, what is similar, the likest first, and what is asked
    for in words."""
    assert re.findall(r"^uploaded (\S+), [\d.]+ s$", output, re.M) == [
        "low.wav",
        "high.wav",
        "loop.wav",
    ]
    changes = re.findall(r"^(\d+)\. batch ([A-Z]+), (\d) of 3", output, re.M)
    assert [int(number) for number, _, _ in changes] == list(range(1, len(changes) + 1))
    assert changes[0][1:] == ("QUEUED", "0")
    assert changes[-1][1:] == ("SUCCEEDED", "3")
    assert len(re.findall(r": (low|high|loop)\.wav is SUCCEEDED$", output, re.M)) == 3
    similar = re.findall(r"^(\d\.\d{3}) \S.*: timbre (-?\d+) ?%, envelope", output, re.M)
    scores = [float(score) for score, _ in similar]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert "'a short, tonal one-shot' is ONE_SHOT, short, tonal to PARSER\n" in output
    assert re.search(r"^  \S.*\.wav$|^  \S.*\.flac$", output, re.M)
