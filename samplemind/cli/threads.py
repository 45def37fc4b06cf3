"""One thread a process for the products of matrices: a file is one core's work, and threads that
wait for each other would take the cores from other files."""

import os

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def use_one_thread() -> None:
    """Before numpy is imported, which reads this once. What is set already stays."""
    os.environ.update(ONE_THREAD | os.environ)
