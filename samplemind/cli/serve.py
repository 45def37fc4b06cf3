"""Running the server: everything, or one process of it."""

import contextlib
from collections.abc import Iterator

import typer

from samplemind.cli.threads import use_one_thread


def serve() -> None:
    """Start everything: the API, a worker, and each part that no address is set for."""
    from samplemind.local import serve
    from samplemind.settings import get_settings

    with _refusal_as_sentence():
        serve(get_settings())


def api() -> None:
    """Run one API process. Every part needs its address (SAMPLEMIND_MONGO_URL, ...)."""
    from samplemind.refusal import refuse_remote, refuse_without_addresses
    from samplemind.settings import get_settings
    from samplemind.trusted import trusted_documents

    with _refusal_as_sentence():
        refuse_remote(get_settings())
        refuse_without_addresses(get_settings())
        trusted_documents(get_settings().trusted_documents)

    from samplemind.server.app import run_api

    with _refusal_as_sentence():
        run_api(get_settings())


def worker() -> None:
    """Run one worker. Every part needs its address (SAMPLEMIND_MONGO_URL, ...)."""
    from samplemind.refusal import refuse_without_addresses
    from samplemind.settings import get_settings

    with _refusal_as_sentence():
        refuse_without_addresses(get_settings())

    use_one_thread()
    from samplemind.jobs.worker import work
    from samplemind.logs import configure_logs

    configure_logs(get_settings())
    work()


@contextlib.contextmanager
def _refusal_as_sentence() -> Iterator[None]:
    from samplemind.refusal import CannotStart

    try:
        yield
    except CannotStart as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from None
