"""What an operator does to everything that is stored: `samplemind backup`, `restore`, `migrate`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal

from samplemind.cli.on_parts import on_parts
from samplemind.cli.progress import Stage, counted

if TYPE_CHECKING:
    from samplemind.backups.snapshot import Manifest

_PLACE = "A folder, or a bucket: s3://name/folder, reached by AWS_* as SAMPLEMIND_BLOB_URL is."


def backup(
    target: Annotated[str, typer.Argument(metavar="TARGET", help=_PLACE)],
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="How many snapshots are kept: older ones go.", show_default="all"),
    ] = None,
) -> None:
    """Add a snapshot of everything to the backup at TARGET, while the server runs.

    Sounds that an earlier snapshot holds are not copied again. On the databases
    of the settings or of a running `serve`.
    """
    from samplemind.backups.back_up import back_up
    from samplemind.backups.prune import prune

    began = time.monotonic()
    name, manifest = on_parts(lambda parts: back_up(parts, target, Stage))
    copied = f"{counted(manifest.files)} ({decimal(manifest.size_bytes)}, {manifest.copied:,} new)"
    documents = sum(each.documents for each in manifest.collections.values())
    seconds = time.monotonic() - began
    typer.echo(f"{name}: {copied}, {documents:,} documents in {seconds:.1f} s.")
    if keep:
        removed = on_parts(lambda parts: prune(parts, target, keep))
        typer.echo(f"Kept the newest {keep}; {counted(removed)} removed that no snapshot names.")
    if manifest.lost:
        typer.secho(f"The bytes of {counted(len(manifest.lost))} are lost:", fg="red", err=True)
        for key in manifest.lost:
            typer.echo(f"  {key}", err=True)
        raise typer.Exit(1)


def restore(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=_PLACE)],
    snapshot: Annotated[
        str | None, typer.Option(help="Which snapshot.", show_default="the newest")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the snapshot, to see that it is whole.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write over what is stored here; what has other ids stays."),
    ] = False,
) -> None:
    """Put everything back from the backup at SOURCE, into empty parts, wherever they are.

    On the databases of the settings or of a running `serve`.
    """
    from samplemind.backups import restore as restoring

    began = time.monotonic()
    name, manifest = on_parts(
        lambda parts: (
            restoring.check(parts, source, snapshot, stage=Stage)
            if check
            else restoring.restore(parts, source, snapshot, force=force, stage=Stage)
        ),
        prepare=not check,
    )
    done = "is whole" if check else "is restored"
    typer.echo(f"{name} {done}: {_holds(manifest)} in {time.monotonic() - began:.1f} s.")


def migrate() -> None:
    """Bring the documents to what this version reads. Every start does so, too."""
    version = on_parts(lambda parts: parts.store.schema.migrate())
    typer.echo(f"The documents are at version {version}.")


def _holds(manifest: "Manifest") -> str:
    documents = sum(each.documents for each in manifest.collections.values())
    return f"{counted(manifest.files)} ({decimal(manifest.size_bytes)}), {documents:,} documents"
