"""The `samplemind` command. Each command imports what it needs when it runs."""

from samplemind.cli.main import app

__all__ = ["app"]
