"""What several commands take in the same way."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from samplemind.domain.analysis import AnalysisLevel

DEFAULT_URL = "http://127.0.0.1:8000"


def server_address(url: str) -> str:
    """What stands before /graphql, from all that people may paste. Raises typer.BadParameter.

    >>> server_address("localhost:8000/graphql")
    'http://localhost:8000'
    """
    url = url.strip()
    address = (url if "://" in url else f"http://{url}").rstrip("/").removesuffix("/graphql")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise typer.BadParameter(f"{url!r} is no address like {DEFAULT_URL}.")
    return address


ApiKey = Annotated[
    str | None,
    typer.Option(
        envvar="SAMPLEMIND_API_KEY",
        help="A key of yours, for a server with sign-in: createApiKey makes one.",
        show_default=False,
        show_envvar=True,
    ),
]

Sounds = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        metavar="PATH",
        help="Files, and folders that are looked through with all their folders.",
    ),
]

Level = Annotated[
    AnalysisLevel,
    typer.Option(
        case_sensitive=False,
        metavar="|".join(AnalysisLevel),
        help="How much is asked of each sound.",
    ),
]

Url = Annotated[
    str | None,
    typer.Option(
        envvar="SAMPLEMIND_URL",
        help="Where the server is.",
        show_default=DEFAULT_URL,
        callback=lambda url: url and server_address(url),
    ),
]
