"""All that can be checked from here: through the server, directly, and about this machine."""

import platform
import shutil
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import ValidationError

from samplemind import __version__
from samplemind.refusal import in_a_sentence
from samplemind.settings import Settings, get_settings

if TYPE_CHECKING:
    from samplemind.health import PartHealth

_TIMEOUT_SECONDS = 15
_LEAST_DISK_BYTES = 1024**3

# The parts in the words of samplemind.health, and the setting that holds the address of each.
_SETTINGS = {
    "documents": "mongo_url",
    "events": "redis_url",
    "vectors": "chroma_url",
    "blobs": "blob_url",
    "worker": "redis_url",
    "ai": "redis_url",
}
# For parts that are not asked: opened with the others, and left out of the answer.
_NOWHERE = {
    "mongo_url": "mongodb://127.0.0.1:1",
    "redis_url": "redis://127.0.0.1:1",
    "chroma_url": "http://127.0.0.1:1",
    "blob_url": "memory:///",
}


@dataclass(frozen=True, slots=True)
class Check:
    """`seen_from`: "server" (it says so), "here" (asked directly) or "machine"."""

    seen_from: str
    name: str
    up: bool
    version: str | None = None
    latency_ms: float | None = None
    advice: str | None = None
    required: bool = True
    """Whether something else is in want where it is down."""


async def check_all(address: str, api_key: str | None, *, is_server_wanted: bool) -> list[Check]:
    """`is_server_wanted` is false where nobody named the server: then it may be missing on a
    machine that has the addresses of the parts."""
    try:
        settings = get_settings()
    except ValidationError as error:
        return [Check("machine", "settings", False, advice=in_a_sentence(error))]
    direct = await _parts(settings)
    server = await _server(address, api_key)
    if direct and not is_server_wanted and not server[0].up:
        server = []
    return [*server, *direct, *_machine(settings)]


async def _server(address: str, api_key: str | None) -> list[Check]:
    """The API first, then its parts as it sees them."""
    started = time.perf_counter()
    try:
        signed_in = {"authorization": f"Bearer {api_key}"} if api_key else {}
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, headers=signed_in) as http:
            response = await http.get(f"{address}/api/v1/health")
        latency = (time.perf_counter() - started) * 1_000
        body = response.json()
        return [
            Check("server", "api", True, body["version"], latency, _same_version(body["version"])),
            *(_part(name, part) for name, part in body["parts"].items()),
        ]
    except (httpx.TransportError, httpx.InvalidURL):
        advice = (
            f"No server answers at {address}: start one with ./start_api.sh, or name another "
            "with --url."
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        advice = f"{address} answers, but not as a SampleMind server does. Is the address right?"
    return [Check("server", "api", False, advice=advice)]


def _part(name: str, part: dict[str, Any]) -> Check:
    up = part["status"] == "up"
    told = part["version"], part["latencyMs"], part["advice"]
    # A server of an earlier version does not say.
    return Check("server", name, up, *told, part.get("required", True))


def _same_version(version: str | None) -> str | None:
    if version in (None, __version__):
        return None
    return f"This command is version {__version__}."


async def _parts(settings: Settings) -> list[Check]:
    """The parts whose addresses are set here."""
    unset = {name: value for name, value in _NOWHERE.items() if not getattr(settings, name)}
    if len(unset) == len(_NOWHERE):
        return []

    from samplemind.health import check_parts
    from samplemind.parts import Parts

    try:
        parts = Parts.open(settings.model_copy(update=unset))
    except Exception as error:
        advice = f"An address is not right: {error}"
        return [Check("here", "addresses", False, advice=advice)]
    try:
        checked = await check_parts(parts)
    finally:
        await parts.close()
    return [_direct(part) for part in checked if _SETTINGS[part.name] not in unset]


def _direct(part: "PartHealth") -> Check:
    told = part.version, part.latency_ms, part.advice, part.required
    return Check("here", part.name, part.up, *told)


def _machine(settings: Settings) -> list[Check]:
    return [_python(), _decoders(), _disk(settings)]


def _python() -> Check:
    up = sys.version_info >= (3, 11)
    advice = None if up else "SampleMind needs Python 3.11 or later."
    return Check("machine", "python", up, platform.python_version(), advice=advice)


def _decoders() -> Check:
    """They come inside the packages; no ffmpeg program is needed."""
    try:
        sndfile = import_module("soundfile").__libsndfile_version__
        ffmpeg = import_module("av").ffmpeg_version_info
    except (ImportError, OSError) as error:
        advice = f"Install SampleMind again: {error}."
        return Check("machine", "decoders", False, advice=advice)
    return Check("machine", "decoders", True, f"libsndfile {sndfile}, FFmpeg {ffmpeg} (built in)")


def _disk(settings: Settings) -> Check:
    """Where the embedded parts keep their data; the folder is made by the first start."""
    folder = settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    up = free >= _LEAST_DISK_BYTES
    advice = None if up else "Make room, or set SAMPLEMIND_DATA_DIR to a larger disk."
    return Check("machine", "disk", up, f"{free / 1e9:,.1f} GB free at {folder}", advice=advice)
