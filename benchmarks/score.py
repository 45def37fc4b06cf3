"""What is played: notes by the beat, at a tempo and in a metre."""

from typing import NamedTuple


class Note(NamedTuple):
    """Beats from the beginning, length in beats, velocity 0..1."""

    beat: float
    length: float
    channel: int
    pitch: int
    loud: float


class Score(NamedTuple):
    bpm: float
    metre: tuple[int, int]
    beats: float
    """Length of the whole; tempo counts these, so a beat of 6/8 is three eighths."""
    notes: list[Note]
    programs: dict[int, int]
    unevenness: float
    """Seconds by which hands miss the moment, one standard deviation."""
    is_loop: bool = False
