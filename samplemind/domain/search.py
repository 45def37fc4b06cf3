"""A library that is asked in words."""

from dataclasses import dataclass

from samplemind.domain.library import AudioFileFilter

LONGEST_PROMPT = 500
"""Characters."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """A prompt as it was understood.

    What was said plainly is the filter. `like` and `unlike` are how the sound should be and should
    not be, in labels of the analysis and in words that names may hold: they rank what the filter
    leaves. `ignored` is what says nothing.
    """

    filter: AudioFileFilter
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
