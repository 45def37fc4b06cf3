"""For commands that work on the parts: those of the settings, or of a running `serve`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from samplemind.cli.serve import refusal_as_sentence

if TYPE_CHECKING:
    from samplemind.parts import Parts

T = TypeVar("T")


def on_parts(work: "Callable[[Parts], Awaitable[T]]", *, prepare: bool = True) -> T:
    """Opens them, works, and closes them; an expected failure is told in a sentence. `prepare`
    brings the documents to the present version first."""
    from samplemind.domain.errors import DomainError
    from samplemind.local.addresses import with_addresses
    from samplemind.outages import AWAY
    from samplemind.settings import get_settings

    with refusal_as_sentence():
        settings = with_addresses(get_settings())

    from samplemind.logs import configure_logs
    from samplemind.parts import Parts
    from samplemind.refusal import CannotStart

    configure_logs(settings)

    async def run() -> T:
        parts = Parts.open(settings)
        try:
            if prepare:
                await parts.store.prepare()
            return await work(parts)
        finally:
            await parts.close()

    try:
        return asyncio.run(run())
    except CannotStart as error:
        typer.secho(str(error), fg="red", err=True)
    except DomainError as error:
        typer.secho(f"{error.code}: {error.message}", fg="red", err=True)
    except AWAY as error:
        typer.secho(f"A part does not answer: {str(error)[:300]}", fg="red", err=True)
    raise typer.Exit(1)
