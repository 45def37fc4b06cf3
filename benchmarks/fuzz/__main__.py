"""Mutated sounds of every format against upload and analysis: `python -m benchmarks.fuzz`.

Each file goes through the code that reads, draws and analyses it, in processes bound as the
server's are; with `--served` some of each format also through a server that is started for it.
The exit code is 1 where one dies, hangs, meets an error that nobody foresaw or
passes a limit. The same seed gives the same files; `--write` saves one of them.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fuzz.guarded import Material, Outcome, run
from benchmarks.fuzz.seeds import FORMATS
from benchmarks.fuzz.served import serve_all
from samplemind.settings import Settings
from tests.server import running_server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__)
    parser.add_argument("--each", type=int, default=1_000, help="files of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=FORMATS)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="most for one file")
    parser.add_argument("--served", type=int, default=0, help="files of each through a server")
    parser.add_argument("--write", metavar="FORMAT:NUMBER", help="write this file and stop")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="samplemind-fuzz-") as name:
        folder = Path(name)
        material = Material(folder, arguments.seed)
        if arguments.write:
            form, _, number = arguments.write.partition(":")
            path = Path(f"{form}-{number}")
            path.write_bytes(material.mutation(form, int(number)))
            print(path)
            return 0
        return asyncio.run(_run(folder, material, arguments))


async def _run(folder: Path, material: Material, arguments: argparse.Namespace) -> int:
    settings = Settings(max_reading_seconds=arguments.seconds, max_process_bytes=1024**3)
    began, sound = time.perf_counter(), True
    print(
        _row("format", "files", "accepted", "refused", "deaths", "timeouts", "faults", "MiB", "s")
    )
    print(_row(*["---"] * 9), flush=True)
    for form in arguments.formats:
        outcome = await run(folder, material, form, arguments.each, settings, arguments.processes)
        print(_figures(form, outcome), flush=True)
        print(f"{form}: {dict(outcome.codes.most_common())}", file=sys.stderr, flush=True)
        sound &= not outcome.faults
    if arguments.served:
        with running_server(folder / "server", []) as server:
            served = await serve_all(server, material, arguments.served)
        sound &= not served.faults
        print(f"\nThrough a server: {served.files:,} files.")
        print(f"Uploads: {dict(served.uploads.most_common())}")
        print(f"Analyses: {dict(served.analyses.most_common())}")
        print("\n".join(served.faults))
    print(f"\n{time.perf_counter() - began:.0f} s", flush=True)
    return 0 if sound else 1


def _figures(form: str, outcome: Outcome) -> str:
    accepted = outcome.codes["ACCEPTED"]
    faults = len(outcome.faults) - outcome.deaths - outcome.timeouts
    refused = outcome.files - accepted - len(outcome.faults)
    return _row(
        form,
        f"{outcome.files:,}",
        f"{accepted:,}",
        f"{refused:,}",
        outcome.deaths,
        outcome.timeouts,
        faults,
        f"{outcome.most_mib:.0f}",
        f"{outcome.slowest:.2f}",
    )


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
