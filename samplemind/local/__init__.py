"""Running everything on one machine: real databases, a worker and the API as child processes.

Whoever gave no address for a part gets it started on loopback, with its data under the data
directory. Nothing here imports the API, the worker or a database client: they are only run.
"""

from samplemind.local.running import running_parts, serve
from samplemind.refusal import CannotStart

__all__ = ["CannotStart", "running_parts", "serve"]
