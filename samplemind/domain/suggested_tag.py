"""Words that could be tags of a sound, from what is known of it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from samplemind.domain.analysis import Analysis, SampleKind
from samplemind.domain.audio_file import AudioFile


class TagSource(StrEnum):
    ANALYSIS = "ANALYSIS"
    AI = "AI"


@dataclass(frozen=True, slots=True)
class SuggestedTag:
    """`score` is 0..1, how sure it is; `reason` is for people."""

    name: str
    score: float
    source: TagSource
    reason: str


MOST_SUGGESTED = 20
_MOST_OF_AI = 10

_SURE = 0.25
"""Of a name of the sound; what is less likely is more often wrong than right."""

_SURE_TEMPO = 0.5

# Words for how a sound is have scores of 0..0.03, so that they come after what it is.
_DESCRIBING = 0.03

_KINDS = {SampleKind.ONE_SHOT: "one-shot", SampleKind.LOOP: "loop"}

_AI_FIELDS = ("genre", "mood", "instruments")
_AI_SCORE = 0.5
_AI_LONGEST = 30
_AI_WORDS = 3
_AI_WORD = re.compile(r"[^\W_]+(?:[ '&/+-]{1,3}[^\W_]+)*")


def suggested_tags(audio_file: AudioFile, analysis: Analysis | None) -> list[SuggestedTag]:
    """The surest first; neither what is a tag already nor what was refused."""
    if analysis is None:
        return []
    known = {tag.casefold() for tag in (*audio_file.tags, *audio_file.refused_tags)}
    found: dict[str, SuggestedTag] = {}
    for each in (*_of_analysis(analysis), *_of_ai(analysis)):
        if each.name not in known:
            found.setdefault(each.name, each)
    ordered = sorted(found.values(), key=lambda each: (-each.score, each.name))
    return ordered[:MOST_SUGGESTED]


def _of_analysis(analysis: Analysis) -> Iterator[SuggestedTag]:
    findings, source = analysis.findings, TagSource.ANALYSIS
    for label in findings.labels:
        if label.name == "other":
            continue
        if label.score > _DESCRIBING:
            if label.score >= _SURE:
                yield SuggestedTag(label.name, label.score, source, "What it sounds like.")
        else:
            strength = round(label.score / _DESCRIBING, 3)
            yield SuggestedTag(label.name, strength, source, "How it sounds.")
    if name := findings.kind and _KINDS.get(findings.kind):
        yield SuggestedTag(name, 1.0, source, "What it is for.")
    if (tempo := findings.tempo) and tempo.confidence >= _SURE_TEMPO:
        yield SuggestedTag(f"{tempo.bpm:.0f} bpm", tempo.confidence, source, "Its tempo.")


def _of_ai(analysis: Analysis) -> list[SuggestedTag]:
    insight = analysis.ai and analysis.ai.insight
    if not insight:
        return []
    reasons = {name: f"Its {name}, as {insight.model} hears it." for name in _AI_FIELDS}
    return [
        SuggestedTag(word, _AI_SCORE, TagSource.AI, reasons[name])
        for name in _AI_FIELDS
        for word in _words(insight.detailed.get(name, ()))
    ][:_MOST_OF_AI]


def _words(texts: Iterable[str]) -> Iterator[str]:
    """Of what a model wrote only what looks like a tag: sentences and links do not."""
    for text in texts:
        word = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(" .,;:!\"'")
        is_short = len(word) <= _AI_LONGEST and len(word.split()) <= _AI_WORDS
        if is_short and _AI_WORD.fullmatch(word):
            yield word
