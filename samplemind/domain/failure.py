"""Why something did not succeed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    message: str
