"""How large a sound may be, whatever its container says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SoundLimits:
    """What is read; more is refused as soon as it is met, by a claim or by what decodes.

    `decoded_bytes` counts samples as they are in memory: four bytes each, in every channel.
    """

    seconds: float = 4 * 3_600
    channels: int = 32
    lowest_rate: int = 2_000
    highest_rate: int = 768_000
    decoded_bytes: int = 16 * 1024**3
