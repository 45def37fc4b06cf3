"""Starts parts, waits until they answer, starts again what dies, and stops them in order."""

import math
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from samplemind.local.child import Child
from samplemind.local.part import Part
from samplemind.refusal import CannotStart

_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.5, 30.0
_STEADY_SECONDS = 60.0  # who ran that long is started again without the delay it had before
_HURRIED_GRACE_SECONDS = 3.0


class Waiting(Protocol):
    """How to wait, and how often somebody has asked to stop."""

    @property
    def stops(self) -> int: ...

    def pause(self, seconds: float | None) -> None: ...


class Supervisor:
    """`parts` stand in the order they are started in; they are stopped in the reverse order.

    `folder` is the data directory, held by the caller alone.
    """

    def __init__(
        self, parts: Sequence[Part], folder: Path, say: Callable[[str], None], waiting: Waiting
    ) -> None:
        for name in ("logs", "run"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        run = uuid.uuid4().hex
        self.children = [Child(part, folder, run) for part in parts]
        self._say = say
        self._waiting = waiting
        self._started: list[Child] = []

    def start(self) -> None:
        """All at once: who needs another tries until it answers."""
        for child in self.children:
            self._started.append(child)
            child.start()

    def wait_until_ready(self, seconds: float) -> bool:
        """False where somebody asked to stop first. Raises CannotStart, naming the part, where
        one does not answer in time or ends, even after it has answered: another may have answered
        for it, as the API does for the worker."""
        began = time.monotonic()
        silent = dict.fromkeys(self.children, "it does not answer")
        next_ask = dict.fromkeys(self.children, began)
        while silent and not self._waiting.stops:
            for child in self.children:
                if child.ended:
                    raise CannotStart(
                        f"{child.part.name} ({child.part.program}) ended with "
                        f"{child.how_it_ended}. {child.last_lines()}"
                    )
            for child in list(silent):
                if time.monotonic() < next_ask[child]:
                    continue
                try:
                    child.part.check()
                except OSError as error:
                    silent[child] = str(error)
                    next_ask[child] = time.monotonic() + child.part.ask_every
                else:
                    del silent[child]
                    self._say(f"{child.part.name:<10} ready  {time.monotonic() - began:5.1f} s")
            if silent and time.monotonic() - began > seconds:
                child, reason = next(iter(silent.items()))
                raise CannotStart(
                    f"{child.part.name} ({child.part.program}) is not ready after "
                    f"{seconds:.0f} s: {reason}. {child.last_lines()}"
                )
            if silent:
                soonest = min(next_ask[child] for child in silent)
                self._waiting.pause(max(0.0, soonest - time.monotonic()))
        return not silent

    def watch(self) -> None:
        """Until somebody asks to stop, starts again what ends, each time after a longer wait."""
        delays: dict[Child, float] = {}
        due: dict[Child, float] = {}
        while not self._waiting.stops:
            now = time.monotonic()
            for child in self.children:
                if child in due:
                    if now >= due[child]:
                        del due[child]
                        child.start()
                        self._say(f"{child.part.name} started again (pid {child.process.pid}).")
                elif child.ended:
                    child.end_group()
                    if now - child.started > _STEADY_SECONDS:
                        delays.pop(child, None)
                    delay = delays.get(child, _FIRST_DELAY_SECONDS)
                    delays[child] = min(2 * delay, _LONGEST_DELAY_SECONDS)
                    due[child] = now + delay
                    self._say(
                        f"{child.part.name} (pid {child.process.pid}) ended with "
                        f"{child.how_it_ended}; starting it again in {delay:g} s. "
                        f"{child.last_lines()}"
                    )
            soonest = min(due.values(), default=None)
            self._waiting.pause(soonest and max(0.0, soonest - time.monotonic()))

    def stop(self) -> None:
        """All of them, whatever happens; a second request to stop shortens every grace."""
        first = min(self._waiting.stops, 1)  # 0 where a failure is what stops us

        def hurry() -> float:
            return _HURRIED_GRACE_SECONDS if self._waiting.stops > first else math.inf

        for child in reversed(self._started):
            child.stop(self._waiting.pause, hurry)
