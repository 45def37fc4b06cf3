"""For commands that work on the parts: those of the settings, or of a running `serve`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from samplemind.cli.serve import refusal_as_sentence

if TYPE_CHECKING:
    from samplemind.parts import Parts

T = TypeVar("T")


def on_parts(work: "Callable[[Parts], Awaitable[T]]") -> T:
    """Opens them, works, and closes them; an expected failure is told in a sentence."""
    from samplemind.domain.errors import DomainError
    from samplemind.local.addresses import with_addresses
    from samplemind.outages import AWAY
    from samplemind.settings import get_settings

    with refusal_as_sentence():
        settings = with_addresses(get_settings())

    from samplemind.parts import Parts

    async def run() -> T:
        parts = Parts.open(settings)
        try:
            await parts.store.prepare()
            return await work(parts)
        finally:
            await parts.close()

    try:
        return asyncio.run(run())
    except DomainError as error:
        typer.secho(f"{error.code}: {error.message}", fg="red", err=True)
    except AWAY as error:
        typer.secho(f"A part does not answer: {str(error)[:300]}", fg="red", err=True)
    raise typer.Exit(1)
