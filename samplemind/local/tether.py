"""Runs a command that ends when its parent does: `tether.py PARENT_PID PROGRAM [ARGUMENT...]`.

A program of its own rather than code between fork and exec, which is unsafe beside threads. It
becomes the command, so pid, session and start time stay the same. Only Linux can do this;
elsewhere the next start ends what a killed supervisor left behind.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the line above: no signal will come
            sys.exit("the parent has ended")
    os.execv(command[0], command)  # noqa: S606 - the command is ours


if __name__ == "__main__":
    main()
