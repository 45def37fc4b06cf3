"""How much memory a process that reads strangers' files may take."""

import contextlib
import resource

import psutil


def limit_memory(more_bytes: int) -> None:
    """Lets this process and its children take so much more address space than it has now.

    Beyond it an allocation fails, in Python as a MemoryError. No core is written by a crash. Only
    Linux counts address space; elsewhere this does nothing.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = psutil.Process().memory_info().vms + more_bytes
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))
