"""`samplemind import`: folders of sounds into the library of a running server."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from samplemind.cli.options import DEFAULT_URL, ApiKey, Level, Sounds, Url
from samplemind.cli.sounds import find_sounds, shown
from samplemind.domain.analysis import AnalysisLevel

if TYPE_CHECKING:
    from samplemind.cli.importer import Report, Trouble


def import_sounds(
    paths: Sounds,
    url: Url = None,
    api_key: ApiKey = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, max=64, help="How many uploads at once.")
    ] = 4,
    tag: Annotated[
        list[str] | None,
        typer.Option("--tag", "-t", help="A word to find the files by; may be repeated."),
    ] = None,
    level: Level = AnalysisLevel.STANDARD,
    analyze: Annotated[
        bool, typer.Option("--analyze/--no-analyze", help="Have what is new analysed, or not.")
    ] = True,
) -> None:
    """Upload sounds to a running server and have them analysed.

    What is there already is not sent again, so the same command takes up an
    interrupted import.

    Exit code: 0 where all went well, 1 where a file was refused or failed.
    """
    sounds = find_sounds(paths)
    if not sounds:
        typer.echo("There are no sounds to import.")
        return

    from samplemind.cli.client import Client, NoServer, Refused
    from samplemind.cli.importer import Importer

    async def run() -> "Report":
        async with Client(url or DEFAULT_URL, api_key) as client:
            importer = Importer(client, jobs, tag or (), level if analyze else None)
            await importer.run(sounds)
            return importer.report

    try:
        report = asyncio.run(run())
    except (NoServer, Refused) as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        message = "Stopped. What is uploaded stays; the same command goes on from there."
        typer.echo(message, err=True)
        raise typer.Exit(130) from None
    _print(report, analyzed=analyze)
    if not report.is_whole:
        raise typer.Exit(1)


def _print(report: "Report", *, analyzed: bool) -> None:
    _print_troubles("refused", report.refused)
    _print_troubles("failed", report.failed)
    counts = [
        f"{report.uploaded:,} uploaded",
        f"{report.already_there:,} already there",
        f"{len(report.refused):,} refused",
    ]
    if analyzed:
        counts += [f"{report.analyzed:,} analysed", f"{len(report.failed):,} failed"]
    if report.cancelled:
        counts.append(f"{report.cancelled:,} cancelled")
    typer.echo(f"{', '.join(counts)} in {_duration(report.seconds)}.")


def _print_troubles(what: str, troubles: "Sequence[Trouble]") -> None:
    for trouble in troubles:
        name = shown(trouble.path) if trouble.path else "(deleted)"
        typer.secho(f"{what}: {name}: {trouble.code}: {trouble.message}", fg="red")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if seconds >= 60 else f"{seconds:.1f} s"
