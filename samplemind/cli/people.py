"""What an operator does to accounts: `samplemind create-admin`, `samplemind set-password`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from samplemind.cli.serve import refusal_as_sentence

if TYPE_CHECKING:
    from samplemind.parts import Parts

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="What the account signs in with.")]


def create_admin(
    email: Email,
    username: Annotated[str, typer.Option(help="The name to show.")] = "admin",
) -> None:
    """Make an admin's account, on the databases of the settings or of a running `serve`.

    Asks for the password, or reads it from standard input where that is no
    terminal. The first account takes over what was stored without sign-in.
    """
    from resolvers.operator import create_admin as create

    password = _password()
    _run(lambda parts: create(parts, email, username, password))
    typer.echo(f"{email} is an admin.")


def set_password(email: Email) -> None:
    """Set the password of an account anew, and end its sessions."""
    from resolvers.operator import set_password as set_

    password = _password()
    _run(lambda parts: set_(parts, email, password))
    typer.echo(f"{email} has a new password; all its sessions have ended.")


def _password() -> str:
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")


def _run(work: "Callable[[Parts], Awaitable[None]]") -> None:
    from samplemind.domain.errors import DomainError
    from samplemind.local.addresses import with_addresses
    from samplemind.settings import get_settings

    with refusal_as_sentence():
        settings = with_addresses(get_settings())

    from samplemind.parts import Parts

    async def run() -> None:
        parts = Parts.open(settings)
        try:
            await parts.store.prepare()
            await work(parts)
        finally:
            await parts.close()

    try:
        asyncio.run(run())
    except DomainError as error:
        typer.secho(f"{error.code}: {error.message}", fg="red", err=True)
        raise typer.Exit(1) from None
