"""What a measurement gives."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is the median where there are several; below `floor` is good enough."""

    name: str
    unit: str
    value: float
    least: float | None = None
    most: float | None = None
    count: int = 1
    floor: float | None = None
    note: str = ""

    @classmethod
    def of_many(
        cls, name: str, unit: str, values: Sequence[float], floor: float | None
    ) -> "Figure":
        value = statistics.median(values)
        return cls(name, unit, value, min(values), max(values), len(values), floor)

    @property
    def is_good(self) -> bool:
        return self.floor is None or self.value < self.floor
