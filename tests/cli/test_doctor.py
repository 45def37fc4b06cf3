"""`samplemind doctor` with and without a server."""

import json
import socket
from pathlib import Path

from samplemind.jobs.presence import ANALYZES
from samplemind.parts import Parts
from samplemind.settings import Settings
from tests.cli.commands import samplemind
from tests.presence import present
from tests.server import Server

PARTS = ["documents", "events", "vectors", "blobs", "worker"]


def checked(text: str, seen_from: str) -> dict[str, dict]:
    """The checks of one kind, by name."""
    checks = json.loads(text)["checks"]
    return {check["name"]: check for check in checks if check["from"] == seen_from}


def test_all_is_well(server: Server) -> None:
    done = samplemind("doctor", "--url", f"{server.url}/graphql", "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["status"] == "up"
    seen = checked(done.stdout, "server")
    assert list(seen) == ["api", *PARTS]
    assert all(check["status"] == "up" and check["version"] for check in seen.values())
    assert seen["api"]["latencyMs"] > 0
    assert set(checked(done.stdout, "machine")) == {"python", "decoders", "disk"}


def test_table(server: Server) -> None:
    done = samplemind("doctor", SAMPLEMIND_URL=server.url)
    assert done.returncode == 0, done.stdout
    for name in ("api", *PARTS, "python", "decoders", "disk"):
        assert f"│ {name} " in done.stdout
    assert "down" not in done.stdout


def test_no_server(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        done = samplemind("doctor", "--url", url, SAMPLEMIND_DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert "│ down " in done.stdout
    assert f"No server answers at {url}: start one with ./start_api.sh" in done.stdout
    assert not (tmp_path / "data").exists()


def addresses(settings: Settings) -> dict[str, str]:
    names = ("mongo_url", "redis_url", "chroma_url", "blob_url")
    return {f"SAMPLEMIND_{name.upper()}": getattr(settings, name) for name in names}


def test_asks_the_parts_directly(settings: Settings) -> None:
    """The parts run here without a worker, and nobody named a server."""
    done = samplemind("doctor", "--json", **addresses(settings))
    assert done.returncode == 1
    seen = checked(done.stdout, "here")
    assert list(seen) == PARTS
    assert [name for name in seen if seen[name]["status"] == "down"] == ["worker"]
    assert "samplemind worker" in seen["worker"]["advice"]
    assert checked(done.stdout, "server") == {}


async def test_says_that_nobody_asks_the_ai(settings: Settings, parts: Parts) -> None:
    env = addresses(settings) | {"SAMPLEMIND_OPENAI_URL": "http://127.0.0.1:1/v1"}
    async with present(parts.events.redis, ANALYZES):
        told = samplemind("doctor", "--json", **env)
        table = samplemind("doctor", **env)
    assert (told.returncode, json.loads(told.stdout)["status"]) == (0, "up")
    asking = checked(told.stdout, "here")["ai"]
    assert (asking["status"], asking["required"]) == ("down", False)
    assert table.returncode == 0
    assert f"ai: {asking['advice']}\n" in table.stdout
    assert "start `samplemind worker --ai`" in asking["advice"]


def test_asks_only_parts_that_have_an_address(settings: Settings) -> None:
    done = samplemind("doctor", "--json", SAMPLEMIND_MONGO_URL=settings.mongo_url)
    assert done.returncode == 0, done.stdout
    assert list(checked(done.stdout, "here")) == ["documents"]


def test_a_part_that_is_down(settings: Settings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{free.getsockname()[1]}/0"
        done = samplemind("doctor", "--json", SAMPLEMIND_REDIS_URL=url)
    assert done.returncode == 1
    seen = checked(done.stdout, "here")
    assert seen["events"]["status"] == "down"
    assert "SAMPLEMIND_REDIS_URL" in seen["events"]["advice"]


def test_a_setting_that_is_wrong() -> None:
    done = samplemind("doctor", SAMPLEMIND_PORT="eighty")
    assert done.returncode == 1
    assert "SAMPLEMIND_PORT: Input should be a valid integer" in done.stdout
    done = samplemind("doctor", SAMPLEMIND_REDIS_URL="nonsense")
    assert done.returncode == 1
    assert "An address is not right: " in done.stdout
