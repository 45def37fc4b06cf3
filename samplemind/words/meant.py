"""What a model may answer when it is asked what a prompt means: the understanding in a schema of
its own, whose every word is one of ours or one of the prompt's."""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from samplemind.domain.analysis import TONICS, Mode, SampleKind
from samplemind.domain.library import AudioFileFilter, KeyName, Range, words_of
from samplemind.domain.search import Understanding
from samplemind.words.vocabulary import DESCRIPTORS, LOOPS, NAMES

if TYPE_CHECKING:
    Tonic = str
    Name = str
    Descriptor = str
    Unwanted = str
else:
    # Of the vocabulary, which pyright cannot follow.
    Tonic = Literal[TONICS]
    Name = Literal[(*NAMES, *LOOPS)]
    Descriptor = Literal[DESCRIPTORS]
    Unwanted = Literal[(*NAMES, *LOOPS, *DESCRIPTORS)]

VERSION = 1
"""To be counted up with every change of the schema or of what is asked."""

QUESTION = """\
You are the search box of a music producer's sample library. The data has one `prompt`, which \
somebody typed there, in any language. Say what it asks for, and no more than it says.

- kinds, labels, keys, tempo, seconds and loudness leave out every sound that does not meet them: \
set them only where the prompt says so plainly. Empty lists and nulls are right for all else.
- labels: any of them. Loops are called drum loop, bass loop or melodic loop, one-shots by what \
they are: "guitar loop" is the label melodic loop and the kind LOOP. A sound with a tempo is a loop.
- keys: any of them, with sharps; both modes where only the tonic is said.
- "around 174" is a tempo from 169 to 179, "174" from 173 to 175; "half-time 174" is 86 to 88. A \
genre has no tempo unless the prompt says one. 808, 909 and the like are drum machines, no tempos.
- without_labels: what must not be heard ("no vocals", "not bright").
- like and unlike: how it should sound. Put into these words what the prompt says in others: \
"gloomy" is dark, "crisp" is bright, "gritty" is noisy.
- style_words: words of the prompt for a style, a mood or a character that no label says (techno, \
rolling). name_words: words of the prompt that are part of a name (amen, 808, juno). Both in lower \
case and exactly as in the prompt. Leave out what the other fields say already.
- ignored_words: words of the prompt that say something which no field can hold."""


class MeantKey(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tonic: Tonic
    mode: Mode


class Meant(BaseModel):
    """What the prompt asks for."""

    model_config = ConfigDict(extra="forbid")

    kinds: list[SampleKind] = Field(max_length=3)
    labels: list[Name] = Field(max_length=20)
    without_labels: list[Unwanted] = Field(max_length=20)
    keys: list[MeantKey] = Field(max_length=24)
    tempo_min: float | None = Field(ge=20, le=400, description="BPM")
    tempo_max: float | None = Field(ge=20, le=400, description="BPM")
    seconds_min: float | None = Field(ge=0, le=86_400)
    seconds_max: float | None = Field(ge=0, le=86_400)
    loudness_min: float | None = Field(ge=-70, le=0, description="LUFS")
    loudness_max: float | None = Field(ge=-70, le=0, description="LUFS")
    like: list[Descriptor] = Field(max_length=10)
    unlike: list[Descriptor] = Field(max_length=10)
    style_words: list[str] = Field(max_length=20)
    name_words: list[str] = Field(max_length=20)
    ignored_words: list[str] = Field(max_length=50)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        for name in ("tempo", "seconds", "loudness"):
            low, high = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if low is not None and high is not None and low > high:
                raise ValueError(f"{name}_min is above {name}_max")
        return self


def understanding_of(meant: Meant, prompt: str) -> Understanding:
    """Only words that the prompt really has are taken over: what a model adds of its own, or is
    told to, is left out."""
    typed = set(words_of(prompt))

    def from_prompt(texts: list[str]) -> list[str]:
        return [word for word in words_of(*texts) if word in typed]

    keys = [KeyName(key.tonic, key.mode) for key in meant.keys]
    like = [*meant.like, *from_prompt(meant.style_words)]
    wanted = {*meant.labels, *like}
    names = [word for word in from_prompt(meant.name_words) if word not in like]
    return Understanding(
        filter=AudioFileFilter(
            search=" ".join(names) or None,
            kinds=_some(meant.kinds),
            labels=_some(meant.labels),
            without_labels=_some([word for word in meant.without_labels if word not in wanted]),
            keys=_some(keys),
            tempo=_range(meant.tempo_min, meant.tempo_max),
            duration_seconds=_range(meant.seconds_min, meant.seconds_max),
            loudness=_range(meant.loudness_min, meant.loudness_max),
        ),
        like=tuple(dict.fromkeys(like)),
        unlike=tuple(dict.fromkeys(word for word in meant.unlike if word not in like)),
        ignored=tuple(from_prompt(meant.ignored_words)),
    )


def contradicts(meant: Understanding, parsed: Understanding) -> bool:
    """Whether a tempo, length or key is another than the figures of the prompt say."""
    for name in ("tempo", "duration_seconds"):
        one, other = getattr(meant.filter, name), getattr(parsed.filter, name)
        if one and other and not _meet(one, other):
            return True
    one, other = meant.filter.keys, parsed.filter.keys
    return bool(one and other and not {*one} & {*other})


def _meet(one: Range, other: Range) -> bool:
    ends = ((one.min, other.max), (other.min, one.max))
    return all(low is None or high is None or low <= high for low, high in ends)


def _some(items: list) -> tuple | None:
    return tuple(dict.fromkeys(items)) or None


def _range(low: float | None, high: float | None) -> Range | None:
    return None if low is None and high is None else Range(low, high)
