"""How it goes with much: many files, workers, subscribers, hours. `python -m benchmarks.scale`.

Everything runs on the parts that an installation brings, on loopback, in a temporary folder, and
stops by itself. The exit code is 1 where a floor is missed.

- `--workers 1,2`: files a second with one worker process and with two.
- `--subscribers 1000`: as many WebSockets on one API process while batches run: what each
  received, how late, in how much memory.
- `--stored 1000,10000`: the times of lists, filters, sums and searches over HTTP, from one API
  process, by how many files are stored. 100,000 take some ten minutes and 2 GB.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.report import machine
from benchmarks.scale import stored, subscribers, workers


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stored", type=_numbers, default=(), metavar="COUNTS")
    parser.add_argument("--workers", type=_numbers, default=(), metavar="COUNTS")
    parser.add_argument("--subscribers", type=int, default=0, metavar="COUNT")
    parser.add_argument("--turns", type=int, default=5, help="turns that are compared (5)")
    parser.add_argument(
        "--requests", type=int, default=30, help="of each case of --stored in a turn (30)"
    )
    parser.add_argument("--data", type=Path, help="keeps the libraries of --stored there")
    asked = parser.parse_args()
    print(", ".join(f"{key} {value}" for key, value in machine().items()), flush=True)
    good = True
    with tempfile.TemporaryDirectory(prefix="samplemind-scale-") as folder:
        if asked.stored:
            data = asked.data or Path(folder)
            good &= stored.measure(asked.stored, data.absolute(), asked.turns, asked.requests)
        if asked.workers:
            good &= workers.measure(asked.workers, Path(folder), asked.turns)
        if asked.subscribers:
            good &= subscribers.measure(asked.subscribers, Path(folder))
    return 0 if good else 1


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.replace("_", "").split(","))


if __name__ == "__main__":
    sys.exit(main())
