"""How fast and how large a real server is: `python -m benchmarks` (some minutes).

Starts `samplemind serve` as a user does, in a temporary folder and on loopback, and stops it
again. The exit code is 1 where a floor is missed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measures import Plan, measure
from benchmarks.report import as_json, as_table, machine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--quick", action="store_true", help="fewer sounds, for a first look")
    arguments = parser.parse_args()
    plan = Plan(one_shots=8, tracks=2, batch=30) if arguments.quick else Plan()
    where = machine()  # before, so that its load is that of others
    with tempfile.TemporaryDirectory(prefix="samplemind-benchmark-") as folder:
        figures = asyncio.run(
            measure(Path(folder), plan, say=lambda it: print(it, file=sys.stderr))
        )
    if arguments.json:
        print(json.dumps(as_json(where, figures), indent=2))
    else:
        print(as_table(where, figures))
    return 0 if all(figure.is_good for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
