"""`samplemind doctor`: what is up, what is not, and what to do about it."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from samplemind.cli.options import DEFAULT_URL, ApiKey, Url

if TYPE_CHECKING:
    from samplemind.cli.checkup import Check


def doctor(
    url: Url = None,
    api_key: ApiKey = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check the server, its parts and this machine.

    Asks the running server, asks each part directly whose address is set
    (SAMPLEMIND_MONGO_URL, ...), and looks at this machine. Where addresses
    are set, there need be no server unless --url names one. A server with
    sign-in tells versions and advice to an admin's API key only.

    Exit code: 0 where everything is up, 1 where not.
    """
    from samplemind.cli.checkup import check_all

    checks = asyncio.run(check_all(url or DEFAULT_URL, api_key, is_server_wanted=url is not None))
    if as_json:
        typer.echo(json.dumps(_as_json(checks), indent=2))
    else:
        _print(checks)
    if not all(check.up for check in checks):
        raise typer.Exit(1)


def _as_json(checks: "list[Check]") -> dict[str, object]:
    return {
        "status": "up" if all(check.up for check in checks) else "degraded",
        "checks": [
            {
                "from": check.seen_from,
                "name": check.name,
                "status": "up" if check.up else "down",
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
            Text("up", "green") if check.up else Text("down", "bold red"),
            Text(check.version or ""),
            "" if check.latency_ms is None else f"{check.latency_ms:.0f} ms",
        )
    Console().print(table)
    # Beneath rather than beside: addresses stay whole in narrow terminals.
    for check in checks:
        if check.advice:
            typer.secho(f"{check.name}: {check.advice}", fg=None if check.up else "red")
