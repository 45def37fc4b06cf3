"""What `samplemind serve` tells once everything answers: what runs, where, and what to open."""

import re
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import version

from samplemind.local.catalogue import in_url
from samplemind.local.child import Child
from samplemind.settings import Settings

_GIVEN = {
    "mongo_url": "documents",
    "redis_url": "events",
    "chroma_url": "vectors",
    "blob_url": "blobs",
}


def introduce(
    say: Callable[[str], None], children: Sequence[Child], given: Settings, settings: Settings
) -> None:
    """`given` is what the user set, `settings` holds every address."""
    say("")
    for child in children:
        part = child.part
        what = f"{part.program} {_version(child)}".strip()
        place = "  ".join(str(each) for each in (part.address, part.folder) if each)
        say(f"  {part.name:<10} {what:<28} pid {child.process.pid:<8} {place}".rstrip())
    for setting, name in _GIVEN.items():
        # Not the address itself: it may hold a password.
        if getattr(given, setting):
            say(f"  {name:<10} where SAMPLEMIND_{setting.upper()} says")
        elif name == "blobs":
            say(f"  {name:<10} {settings.blob_url}")
    say("")
    say(f"  Data and logs  {settings.data_dir}")
    say(f"  Open           http://{in_url(settings.host)}:{settings.port}/graphql")
    say("  Stop           Ctrl-C")
    say("")


def _version(child: Child) -> str:
    """The version of a program of somebody else's, empty where it does not tell."""
    program, name = child.part.command[0], child.part.program
    if name == "chroma":
        return version("chromadb")
    if name.startswith("samplemind"):
        return version("samplemind")
    asked = (program, "--version")
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    found = re.search(r"\d+\.\d+[\w.-]*", answer.stdout)
    return found[0] if found else ""
