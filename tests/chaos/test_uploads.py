"""Uploads while something is killed: what was acknowledged is there with every byte, and nothing
else is."""

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile

from tests.chaos.asking import doctors_findings, findings, until
from tests.chaos.cluster import Cluster
from tests.server import HTTP
from tests.sounds import RATE, noise

_COUNT = 24
_FILE = "query ($id: ID!) { node(id: $id) { ... on AudioFile { sha256 url analysis { status } } } }"


@pytest.fixture
def sounds(tmp_path: Path) -> list[Path]:
    """Never stored before."""
    seed = np.random.default_rng().integers(1 << 30)
    return [_sound(tmp_path / f"{number}.wav", int(seed) + number) for number in range(_COUNT)]


def _sound(path: Path, seed: int) -> Path:
    soundfile.write(path, noise(5.0, seed=seed), RATE)
    return path


@pytest.mark.parametrize(
    "victims", [("api",), ("documents",), ("api", "worker", "documents", "events")], ids="+".join
)
def test_what_was_acknowledged_is_there(
    whole: Cluster, sounds: list[Path], victims: tuple[str, ...]
) -> None:
    some = threading.Semaphore(0)

    def upload(sound: Path) -> tuple[Path, str] | None:
        """The id, where the server has answered one."""
        try:
            payload = whole.server.upload(sound, level="BASIC")
        except (httpx.TransportError, AssertionError, ValueError):
            return None
        finally:
            some.release()
        return (sound, payload["audioFile"]["id"]) if payload["audioFile"] else None

    with ThreadPoolExecutor(6) as clients:
        uploads = [clients.submit(upload, sound) for sound in sounds]
        for _ in range(8):
            some.acquire()
        assert not all(each.done() for each in uploads), "killed too late to prove anything"
        whole.kill(*victims)
        whole.start(*[name for name in whole.names if name in victims])
        acknowledged = dict(filter(None, (each.result() for each in uploads)))
    assert acknowledged
    for sound, id_ in acknowledged.items():
        until(lambda id_=id_: whole.server.ask(_FILE, id=id_)["node"]["analysis"])
        node = whole.server.ask(_FILE, id=id_)["node"]
        stored = HTTP.get(node["url"]).raise_for_status().content
        assert hashlib.sha256(stored).hexdigest() == node["sha256"]
        assert stored == sound.read_bytes()
    # Whoever was not answered may ask again, and then everything is as if nothing had happened.
    for sound in sounds:
        payload = whole.server.upload(sound, level="BASIC")
        assert payload["errors"] == []
        assert payload["audioFile"]["id"] == acknowledged.get(sound, payload["audioFile"]["id"])
        until(
            lambda id_=payload["audioFile"]["id"]: whole.server.ask(_FILE, id=id_)["node"][
                "analysis"
            ]
        )
    assert findings(whole) == []


def test_bytes_of_an_upload_that_broke_off_are_found_and_removed(
    whole: Cluster, sounds: list[Path]
) -> None:
    whole.kill("documents")
    with pytest.raises(AssertionError, match="UNAVAILABLE"):
        whole.server.upload(sounds[0])
    whole.start("documents")
    stray = whole.settings.data_dir / "blobs" / "local" / "ab" / ("ab" * 32)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"nobody's")
    found = {each["subject"]: each for each in doctors_findings(whole)}[f"local/ab/{'ab' * 32}"]
    assert (found["fault"], found["mended"]) == ("bytes without file", True)
    assert not stray.exists()
    assert doctors_findings(whole) == []
