"""What a part is: a program, how to start it and how to tell that it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the house.

    `check` raises OSError, with a reason, until the part answers; it is made every `ask_every`
    seconds. `folder` is where the program runs and keeps its data. A part that is `on_terminal`
    has no log file of its own. On a stop it gets `grace` seconds to finish before it is killed.
    """

    name: str
    command: tuple[str, ...]
    check: Callable[[], None]
    program: str
    address: str = ""
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    on_terminal: bool = False
    ask_every: float = 0.05
    grace: float = 8.0
