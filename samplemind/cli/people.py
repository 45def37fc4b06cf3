"""What an operator does to accounts: `samplemind create-admin`, `samplemind set-password`."""

import sys
from typing import Annotated

import typer

from samplemind.cli.on_parts import on_parts

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
    on_parts(lambda parts: create(parts, email, username, password))
    typer.echo(f"{email} is an admin.")


def set_password(email: Email) -> None:
    """Set the password of an account anew, and end its sessions."""
    from resolvers.operator import set_password as set_

    password = _password()
    on_parts(lambda parts: set_(parts, email, password))
    typer.echo(f"{email} has a new password; all its sessions have ended.")


def _password() -> str:
    if sys.stdin.isatty():
        return typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return sys.stdin.readline().rstrip("\r\n")
