"""`samplemind doctor`: what is up, what is not, and what to do about it."""

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from samplemind.cli.options import DEFAULT_URL, ApiKey, Url

if TYPE_CHECKING:
    from samplemind.cli.checkup import Check


def doctor(
    url: Url = None,
    api_key: ApiKey = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Compare rows, audio bytes and vectors too, and make them agree."
        ),
    ] = False,
    older_than: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="Bytes without a file that are younger are left alone: their upload may go on.",
        ),
    ] = 3_600,
) -> None:
    """Check the server, its parts and this machine.

    Asks the running server, asks each part directly whose address is set
    (SAMPLEMIND_MONGO_URL, ...), and looks at this machine. Where addresses
    are set, there need be no server unless --url names one. A server with
    sign-in tells versions and advice to an admin's API key only.

    With --repair it then goes through everything that is stored, on the
    databases of the settings or of a running `serve`, which may go on.

    Exit code: 0 where everything is up and whole, 1 where not. Who asks an
    AI may be missing: all else works without.
    """
    from samplemind.cli.checkup import check_all

    checks = asyncio.run(check_all(url or DEFAULT_URL, api_key, is_server_wanted=url is not None))
    if not as_json:
        _print(checks)
    findings = None
    if repair:
        from samplemind.cli.repair import repair as repair_all

        findings = repair_all(timedelta(seconds=older_than))
        if not as_json:
            _print_findings(findings)
    if as_json:
        found = {} if findings is None else {"findings": findings}
        typer.echo(json.dumps(_as_json(checks) | found, indent=2))
    is_whole = all(finding["mended"] for finding in findings or ())
    if not (is_whole and _are_up(checks)):
        raise typer.Exit(1)


def _are_up(checks: "list[Check]") -> bool:
    return all(check.up for check in checks if check.required)


def _print_findings(findings: "list[dict[str, object]]") -> None:
    for finding in findings:
        what = "mended" if finding["mended"] else "cannot be mended"
        colour = None if finding["mended"] else "red"
        fault, owner, subject = (finding[name] for name in ("fault", "ownerId", "subject"))
        typer.secho(f"{what}: {fault} {subject} of {owner or 'nobody'}", fg=colour)
    if not findings:
        typer.echo("Rows, audio bytes and vectors agree.")


def _as_json(checks: "list[Check]") -> dict[str, object]:
    return {
        "status": "up" if _are_up(checks) else "degraded",
        "checks": [
            {
                "from": check.seen_from,
                "name": check.name,
                "status": "up" if check.up else "down",
                "required": check.required,
                "version": check.version,
                "latencyMs": check.latency_ms,
                "advice": check.advice,
            }
            for check in checks
        ],
    }


def _print(checks: "list[Check]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold")
    table.add_column("Seen from")
    table.add_column("Part")
    table.add_column("Status")
    table.add_column("Version", overflow="fold")
    table.add_column("Latency", justify="right")
    for check in checks:
        table.add_row(
            check.seen_from,
            check.name,
            Text("up", "green") if check.up else Text("down", _colour(check)),
            Text(check.version or ""),
            "" if check.latency_ms is None else f"{check.latency_ms:.0f} ms",
        )
    Console().print(table)
    # Beneath rather than beside: addresses stay whole in narrow terminals.
    for check in checks:
        if check.advice:
            typer.secho(f"{check.name}: {check.advice}", fg=None if check.up else _colour(check))


def _colour(check: "Check") -> str:
    return "red" if check.required else "yellow"
