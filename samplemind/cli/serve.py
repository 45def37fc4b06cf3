"""Running the server: everything, or one process of it."""

import typer

from samplemind.settings import get_settings


def serve() -> None:
    """Start everything: the API, a worker, and each part that no address is set for."""
    from samplemind.local import CannotStart, serve

    try:
        serve(get_settings())
    except CannotStart as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from None


def api() -> None:
    """Run one API process. Every part needs its address (SAMPLEMIND_MONGO_URL, ...)."""
    from samplemind.server.app import run_api

    run_api(get_settings())


def worker() -> None:
    """Run one worker. Every part needs its address (SAMPLEMIND_MONGO_URL, ...)."""
    from samplemind.jobs.worker import work
    from samplemind.logs import configure_logs

    configure_logs(get_settings())
    work()
