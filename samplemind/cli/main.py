"""All commands in one place."""

import typer

from samplemind.cli.analyze import analyze
from samplemind.cli.backup import backup, migrate, restore
from samplemind.cli.doctor import doctor
from samplemind.cli.ending import ending_at_once
from samplemind.cli.import_ import import_sounds
from samplemind.cli.people import create_admin, set_password
from samplemind.cli.schema import export_schema
from samplemind.cli.serve import api, serve, worker

app = typer.Typer(
    name="samplemind",
    help="Turn a folder of sounds into a library you can search by how it sounds.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def command(context: typer.Context) -> None:
    # Servers close what they have opened one after the other.
    if context.invoked_subcommand not in ("serve", "api", "worker"):
        context.with_resource(ending_at_once())


app.command()(serve)
app.command()(api)
app.command()(worker)
app.command("import")(import_sounds)
app.command()(analyze)
app.command()(doctor)
app.command("create-admin")(create_admin)
app.command("set-password")(set_password)
app.command()(backup)
app.command()(restore)
app.command()(migrate)
app.command("export-schema")(export_schema)
