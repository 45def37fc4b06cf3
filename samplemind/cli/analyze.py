"""`samplemind analyze`: what is in sounds on this machine, without a server."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samplemind.cli.options import Level, Sounds
from samplemind.cli.sounds import find_sounds, shown
from samplemind.cli.threads import use_one_thread
from samplemind.domain.analysis import AnalysisLevel

if TYPE_CHECKING:
    from rich.table import Table

_TOP_LABELS = 3
_WIDTH_OF_A_FILE = 160


def analyze(
    paths: Sounds,
    level: Level = AnalysisLevel.STANDARD,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="How many at once.", show_default="one for each core"
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="A JSON object on each line, named as in the API, in the order given."
        ),
    ] = False,
) -> None:
    """Analyse sounds right here, without a server.

    Exit code: 0 where all could be analysed, 1 where one could not.
    """
    sounds = find_sounds(paths)
    if not sounds and not as_json:
        typer.echo("There are no sounds to analyse.")
    if not sounds:
        return
    results = _results(sounds, level, jobs or os.cpu_count() or 1)
    try:
        all_well = (_print_lines if as_json else _print_table)(results, len(sounds))
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        raise typer.Exit(130) from None
    if not all_well:
        raise typer.Exit(1)


def _results(sounds: Sequence[Path], level: AnalysisLevel, jobs: int) -> Iterator[dict[str, Any]]:
    from samplemind.cli.listening import listen
    from samplemind.cli.processes import listen_in_processes

    if len(sounds) == 1:
        use_one_thread()
        # A process of its own would take longer to start than most files take to analyse.
        yield listen(sounds[0], level)
    else:
        yield from listen_in_processes(sounds, level, jobs)


def _print_lines(results: Iterator[dict[str, Any]], _count: int) -> bool:
    all_well = True
    for result in results:
        all_well &= "failure" not in result
        # Click flushes after each line.
        typer.echo(json.dumps(result))
    return all_well


def _print_table(results: Iterator[dict[str, Any]], count: int) -> bool:
    from rich.console import Console
    from rich.text import Text

    from samplemind.cli.progress import Stage

    table, failures = _table(), []
    with Stage("Analysing", count) as stage:
        for result in results:
            if why := result.get("failure"):
                failures.append(f"{shown(result['path'])}: {why['code']}: {why['message']}")
            else:
                table.add_row(*map(Text, _row(result)))
            stage.advance(1, failed="failure" in result)
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    if table.row_count:
        console.print(table)
    for line in failures:
        typer.secho(line, fg="red", err=True)
    return not failures


def _table() -> "Table":
    from rich.table import Table

    table = Table(header_style="bold")
    table.add_column("File", overflow="fold", ratio=1)
    table.add_column("Kind")
    for name in ("Length", "Tempo"):
        table.add_column(name, justify="right")
    table.add_column("Key")
    table.add_column("Loudness", justify="right")
    table.add_column("Labels")
    return table


def _row(result: dict[str, Any]) -> list[str]:
    tempo, key, loudness = (result[name] for name in ("tempo", "key", "loudness"))
    return [
        shown(result["path"]),
        (result["kind"] or "").replace("_", "-").lower(),
        f"{result['durationSeconds']:.2f} s",
        f"{tempo['bpm']:.1f} BPM" if tempo else "",
        f"{key['tonic']} {key['mode'].lower()} ({key['camelot']})" if key else "",
        f"{loudness['integratedLufs']:.1f} LUFS" if loudness else "",
        ", ".join(label["name"] for label in result["labels"][:_TOP_LABELS]),
    ]
