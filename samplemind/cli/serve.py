"""Running the server: everything, or one process of it."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from samplemind.cli.threads import use_one_thread


def serve() -> None:
    """Start everything: the API, a worker, and each part that no address is set for."""
    from samplemind.local import serve
    from samplemind.settings import get_settings

    with refusal_as_sentence():
        serve(get_settings())


def api() -> None:
    """Run one API process. Every part needs its address (SAMPLEMIND_MONGO_URL, ...)."""
    from samplemind.refusal import refuse_unsafe, refuse_without_addresses
    from samplemind.settings import get_settings
    from samplemind.trusted import trusted_documents

    with refusal_as_sentence():
        refuse_unsafe(get_settings())
        refuse_without_addresses(get_settings())
        trusted_documents(get_settings().trusted_documents)

    _migrate()
    from samplemind.server.app import run_api

    with refusal_as_sentence():
        run_api(get_settings())


def worker(
    ai: Annotated[
        bool, typer.Option("--ai", help="Ask AI providers, instead of analysing sounds.")
    ] = False,
) -> None:
    """Run one worker. Every part needs its address (SAMPLEMIND_MONGO_URL, ...)."""
    from samplemind.refusal import refuse_without_addresses, refuse_without_ai
    from samplemind.settings import get_settings

    with refusal_as_sentence():
        refuse_without_addresses(get_settings())
        if ai:
            refuse_without_ai(get_settings())

    use_one_thread()
    if ai:
        _migrate()
        from samplemind.jobs.ai_worker import ask
        from samplemind.logs import configure_logs

        configure_logs(get_settings())
        with refusal_as_sentence():
            ask()
        return
    with counting_folder() as folder:
        # Before the metrics are imported: its processes count together, in files.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _migrate()
        from samplemind.jobs.worker import work
        from samplemind.logs import configure_logs

        configure_logs(get_settings())
        with refusal_as_sentence():
            work()


def _migrate() -> None:
    """Nobody begins before the documents are what this version reads."""
    from samplemind.settings import get_settings
    from samplemind.store.migrations import migrated

    with refusal_as_sentence():
        asyncio.run(migrated(get_settings().mongo_url))


@contextlib.contextmanager
def counting_folder() -> Iterator[str]:
    """For the files of one worker. Those of workers that were killed are removed."""
    import psutil

    prefix = "samplemind-metrics-"
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        pid = left.name.removeprefix(prefix).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{prefix}{os.getpid()}-") as folder:
        yield folder


@contextlib.contextmanager
def refusal_as_sentence() -> Iterator[None]:
    """What keeps a command from starting, told without a traceback."""
    from pydantic import ValidationError

    from samplemind.refusal import CannotStart, in_a_sentence

    try:
        yield
    except (CannotStart, ValidationError) as error:
        said = in_a_sentence(error) if isinstance(error, ValidationError) else str(error)
        typer.secho(said, fg="red", err=True)
        raise typer.Exit(1) from None
