"""The schema as a file."""

from pathlib import Path
from typing import Annotated

import typer


def export_schema(
    path: Annotated[
        Path | None, typer.Argument(help="Where to write it; standard output by default.")
    ] = None,
) -> None:
    """Write the GraphQL schema (SDL), as schema.graphql holds it."""
    from schema.root import sdl

    if path:
        path.write_text(sdl(), encoding="utf-8")
    else:
        typer.echo(sdl(), nl=False)
