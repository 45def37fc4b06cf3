"""Signals as something to wait for: a count of requests to stop, and a wake-up for any of them."""

import select
import signal
import socket
from types import FrameType
from typing import Self

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """For the main thread. While open, `stops` counts the requests to stop.

    `pause` ends early on a request to stop and on the end of a child, so nothing needs polling.
    """

    def __init__(self) -> None:
        self.stops = 0

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        # `nohup` ignores SIGHUP, which stays so. A script's `&` ignores SIGINT, which does not.
        nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        wanted = [each for each in _STOP if not (nohup and each is signal.SIGHUP)]
        self._before = {each: signal.signal(each, self._count) for each in wanted}
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._fd_before)
        self._reader.close()
        self._writer.close()

    def pause(self, seconds: float | None) -> None:
        """Waits that long, or for ever, unless a signal has come since the last pause."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            self._reader.recv(4096)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1
