"""A folder of sounds with known answers."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("path", "source", "kind", "tempo", "key", "mode", "metre", "label")

_KITS = "drumkits"
"""Hydrogen keeps each kit in a folder of its own below this one."""


class BadManifest(Exception):
    """A manifest that is missing, or lacks something: the message says what."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the sound at `path`; None where it is not known.

    `tempo` in beats a minute, `key` as (pitch class from C, "MAJOR" or "MINOR"), `metre` like 4/4;
    sounds of one `pack` were made together.
    """

    path: Path
    source: str
    pack: str
    kind: str | None
    tempo: float | None
    key: tuple[int, str] | None
    metre: str | None
    label: str | None


def read(folders: Iterable[Path]) -> list[Known]:
    """The sounds of each folder's `manifest.csv`. Raises BadManifest."""
    return [known for folder in folders for known in _read(folder)]


def _read(folder: Path) -> list[Known]:
    path = folder / "manifest.csv"
    if not path.is_file():
        raise BadManifest(f"{path} is missing: a folder of sounds needs a table of their answers")
    with path.open(newline="") as file:
        table = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise BadManifest(f"{path} has no column {', '.join(missing)}")
        return [_known(folder, row, f"{path}, line {table.line_num}") for row in table]


def _known(folder: Path, row: dict[str, str], where: str) -> Known:
    path = folder / row["path"]
    if not path.is_file():
        raise BadManifest(f"{where}: there is no {path}")
    try:
        return Known(
            path,
            source=row["source"],
            pack=_pack(path, row["source"]),
            kind=row["kind"].upper() or None,
            tempo=float(row["tempo"]) if row["tempo"] else None,
            key=(pitch_class(row["key"]), row["mode"].upper())
            if row["key"] and row["mode"]
            else None,
            metre=row["metre"] or None,
            label=row["label"] or None,
        )
    except ValueError as error:
        raise BadManifest(f"{where}: {error}") from error


def _pack(path: Path, source: str) -> str:
    folders = path.parts[:-1]
    return f"{source}/{folders[-1]}" if _KITS in folders[:-1] else source


def pitch_class(name: str) -> int:
    """0..11 from C, of names like F#, Bb or Cb. Raises ValueError."""
    letter, accidentals = name[:1].upper(), name[1:]
    if letter not in tuple("CDEFGAB") or accidentals.strip("#b♯♭"):
        raise ValueError(f"{name!r} is no tonic")
    sharps = sum(accidentals.count(sign) for sign in "#♯")
    flats = sum(accidentals.count(sign) for sign in "b♭")
    return ({"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}[letter] + sharps - flats) % 12
