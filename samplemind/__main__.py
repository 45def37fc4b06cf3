"""`python -m samplemind` is the `samplemind` command."""

from samplemind.cli import app

app()
