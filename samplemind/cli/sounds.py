"""Which files are meant by paths on the command line, and how a path is shown."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

_EXTENSIONS = {
    *(".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".flac", ".caf"),
    *(".mp3", ".ogg", ".oga", ".opus", ".m4a", ".m4b", ".mp4", ".aac"),
    *(".au", ".snd", ".wma", ".wv", ".ape", ".tta", ".mka", ".webm"),
}
_REMAINS_OF_ZIP = "__MACOSX"


def find_sounds(paths: Iterable[Path]) -> list[Path]:
    """Each file once: those named, and those in named folders that look like sounds.

    A folder that cannot be read is in the list itself, so that whoever opens it says why.
    Raises typer.BadParameter where a path is neither file nor folder.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found |= dict.fromkeys(_in_folder(path))
        elif path.is_file():
            found[path] = None
        else:
            raise typer.BadParameter(f"{shown(path)} is neither a file nor a folder.")
    return list(found)


def shown(path: Path | str) -> str:
    """The path fit for a terminal: names may hold line breaks, escapes, bytes that are no text."""
    return "".join(char if char.isprintable() else "\ufffd" for char in str(path))


def _in_folder(folder: Path) -> Iterator[Path]:
    unreadable: list[Path] = []

    def note(error: OSError) -> None:
        unreadable.append(Path(error.filename))

    for parent, folders, files in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(files):
            path = Path(parent, name)
            is_sound = path.suffix.casefold() in _EXTENSIONS
            if is_sound and not _is_hidden(name) and path.is_file():
                yield path
    yield from unreadable


def _is_hidden(name: str) -> bool:
    # What macOS leaves beside a sound on foreign disks, `._kick.wav`, is hidden by this too.
    return name.startswith(".") or name == _REMAINS_OF_ZIP
