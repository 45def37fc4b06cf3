"""What a producer would say of a sound: the question, and what its answer is held to."""

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from samplemind.ai.fl_studio import PLUGINS, plugin
from samplemind.ai.prompt import Answer, Prompt
from samplemind.ai.provider import Excerpt
from samplemind.ai.texts import is_smuggled, plain, sentences
from samplemind.domain.ai import AiInsight
from samplemind.domain.analysis import Analysis, Findings, Mode
from samplemind.domain.audio_file import AudioFile

NAME = "insight"
_VERSION = 1

_SYSTEM = f"""\
You are a record producer and mixing engineer with golden ears. You are told what an analysis has \
measured of one sound of a sample library, and where it can be had you hear a part of it. Say what \
it is, where it fits and how to treat it, so that another producer can use it at once.

Rules:
- What was measured is right: tempo, key, length, loudness. Repeat such numbers only as they stand \
in the data; where the data has none, name none.
- Be concrete: frequencies in Hz, decibels, milliseconds, bars. No praise, no filler.
- fl_studio: use only plugins that FL Studio brings along, by these names: {", ".join(PLUGINS)}. \
With each, say which of its settings to set to what, and why.
- Write in English."""

_MOST_TAGS = 50
_MOST_EMBEDDED = 30
_LONGEST_TEXT = 200

_TEMPO = re.compile(r"(\d{2,3}(?:\.\d+)?)[\s-]*(?:bpm\b|beats per minute)", re.IGNORECASE)
_KEY = re.compile(r"\b([A-G])[\s-]?(#|♯|b|♭|sharp|flat)?[\s-]?(major|minor|maj|min)\b")
_TEMPO_TOLERANCE = 0.02
_SHARPS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E"}
_SHARPS |= {"E#": "F", "B#": "C"}

Short = Annotated[str, Field(max_length=80)]
Long = Annotated[str, Field(max_length=400)]


class Recommendation(BaseModel):
    """How to use one plugin."""

    plugin: Short = Field(description="Its name.")
    settings: Long = Field(description="Which of its settings to set to what.")
    reason: Long = Field(description="Why, for this sound.")

    def __str__(self) -> str:
        return f"{self.plugin}: {self.settings.rstrip('.')}. {self.reason}"


class Insight(BaseModel):
    """What the model answers. Its texts are plain, bounded, and say nothing of tempo and key that
    was not measured; its plugins exist.

    What breaks that is told to the model once. In its second answer it is left out, as far as
    something is left.
    """

    model_config = ConfigDict(extra="ignore")

    summary: str = Field(
        max_length=1_000, description="What it is and where it fits: 1 to 4 sentences."
    )
    instruments: list[Short] = Field(max_length=12, description="What is heard, the loudest first.")
    mood: list[Short] = Field(max_length=12, description="Single words.")
    genre: list[Short] = Field(max_length=12, description="Where it fits, the best first.")
    mix_notes: list[Long] = Field(max_length=12, description="How to treat it in a mix.")
    arrangement_ideas: list[Long] = Field(max_length=12, description="Where in a track to use it.")
    production_tips: list[Long] = Field(max_length=12, description="How to process it: 2 to 5.")
    creative_ideas: list[Long] = Field(
        max_length=12, description="What else to make of it: 2 to 5."
    )
    fl_studio: list[Recommendation] = Field(
        max_length=12, description="2 to 5 of FL Studio's own plugins, and how to set them."
    )

    @model_validator(mode="after")
    def _hold_to_the_rules(self, info: ValidationInfo) -> Self:
        context: dict[str, Any] = info.context or {}
        problems: list[str] = []
        findings: Findings | None = context.get("findings")
        kept = []
        for sentence in sentences(plain(self.summary)):
            if problem := _problem(sentence) or (findings and _false_claim(sentence, findings)):
                problems.append(f"summary: {problem}")
            elif sentence:
                kept.append(sentence)
        self.summary = " ".join(kept)
        for name in _LISTS:
            kept = []
            for text in map(plain, getattr(self, name)):
                if problem := _problem(text):
                    problems.append(f"{name}: {problem}")
                elif text:
                    kept.append(text)
            setattr(self, name, kept)
        self.fl_studio = [
            known for each in self.fl_studio if (known := _known(each, problems)) is not None
        ]
        if not (self.summary and self.production_tips):
            problems.append("summary and production_tips must not be empty")
        elif context.get("again"):
            return self
        if problems:
            raise ValueError("; ".join(problems))
        return self


_LISTS = (
    "instruments",
    "mood",
    "genre",
    "mix_notes",
    "arrangement_ideas",
    "production_tips",
    "creative_ideas",
)
# Named as in the API.
_DETAILED = {
    "instruments": "instruments",
    "mood": "mood",
    "genre": "genre",
    "mix_notes": "mixNotes",
    "arrangement_ideas": "arrangementIdeas",
}


def insight_prompt(
    file: AudioFile, analysis: Analysis, sound: Callable[[], Awaitable[Excerpt | None]]
) -> Prompt:
    """The question about a file with an analysis that has succeeded."""
    return Prompt(
        name=NAME,
        version=_VERSION,
        system=_SYSTEM,
        data={"file": _of_file(file), "analysis": _measured(analysis.findings)},
        subject=f"{file.sha256}:{analysis.level}",
        sound=sound,
        context={"findings": analysis.findings},
    )


def as_insight(answer: Answer[Insight]) -> AiInsight:
    said = answer.value
    return AiInsight(
        provider=answer.provider,
        model=answer.model,
        summary=said.summary,
        detailed={shown: getattr(said, name) for name, shown in _DETAILED.items()},
        production_tips=tuple(said.production_tips),
        creative_ideas=tuple(said.creative_ideas),
        fl_studio_recommendations=tuple(map(str, said.fl_studio)),
    )


def _of_file(file: AudioFile) -> dict[str, Any]:
    """Much of it written by strangers, so it is bounded."""
    facts = file.facts
    embedded = list(facts.metadata.items())[:_MOST_EMBEDDED]
    return {
        "filename": file.filename[:_LONGEST_TEXT],
        "tags": [tag[:_LONGEST_TEXT] for tag in file.tags[:_MOST_TAGS]],
        "embedded": {str(name)[:80]: str(value)[:_LONGEST_TEXT] for name, value in embedded},
        "seconds": round(facts.duration_seconds, 3),
        "channels": facts.channels,
        "sample_rate": facts.sample_rate,
    }


def _measured(found: Findings) -> dict[str, Any]:
    """Compact: what a producer would look at. What was not found is left out."""
    tempo, key, pitch, loudness, loop = (
        found.tempo,
        found.key,
        found.pitch,
        found.loudness,
        found.loop,
    )
    metre, spectral = found.time_signature, found.spectral
    facts: dict[str, Any] = {
        "kind": found.kind,
        "labels": {label.name: round(label.score, 2) for label in found.labels},
        "bpm": tempo and round(tempo.bpm, 1),
        "other_bpm": tempo and [round(bpm, 1) for bpm in tempo.alternatives],
        "bpm_confidence": tempo and round(tempo.confidence, 2),
        "key": key and f"{key.tonic} {key.mode.lower()}",
        "camelot": key and key.camelot,
        "key_confidence": key and round(key.confidence, 2),
        "time_signature": metre and f"{metre.numerator}/{metre.denominator}",
        "note": pitch and pitch.note,
        "cents": pitch and round(pitch.cents),
        "integrated_lufs": loudness and round(loudness.integrated_lufs, 1),
        "true_peak_dbtp": loudness and round(loudness.true_peak_dbtp, 1),
        "loudness_range_lu": loudness and loudness.range_lu and round(loudness.range_lu, 1),
        "centroid_hz": spectral and round(spectral.centroid_hz),
        "bandwidth_hz": spectral and round(spectral.bandwidth_hz),
        "rolloff_hz": spectral and round(spectral.rolloff_hz),
        "flatness": spectral and round(spectral.flatness, 3),
        "beats": found.beats and len(found.beats),
        "onsets": found.onsets and len(found.onsets),
        "loop_bars": loop and loop.bars,
        "has_none_of": [absence.field for absence in found.absences],
    }
    return {name: value for name, value in facts.items() if value not in (None, [], {})}


def _known(each: Recommendation, problems: list[str]) -> Recommendation | None:
    name = plugin(each.plugin)
    if name is None:
        problems.append(f"fl_studio: {each.plugin[:40]!r} is no plugin of FL Studio")
        return None
    known = Recommendation(plugin=name, settings=plain(each.settings), reason=plain(each.reason))
    if problem := _problem(str(known)):
        problems.append(f"fl_studio: {problem}")
        return None
    if not known.settings:
        problems.append(f"fl_studio: {name} has no settings")
        return None
    return known


def _problem(text: str) -> str | None:
    return "links, addresses and markup are not allowed" if is_smuggled(text) else None


def _false_claim(text: str, findings: Findings) -> str | None:
    """What it says of tempo or key that is not what was measured."""
    for said in _TEMPO.findall(text):
        if not any(abs(float(said) - bpm) <= _TEMPO_TOLERANCE * bpm for bpm in _tempos(findings)):
            return f"{said} BPM is not what was measured"
    for tonic, sign, mode in _KEY.findall(text):
        name = tonic + {"♯": "#", "sharp": "#", "♭": "b", "flat": "b"}.get(sign, sign)
        key = findings.key
        is_minor = mode.startswith("min")
        if not (
            key and key.tonic == _SHARPS.get(name, name) and (key.mode is Mode.MINOR) == is_minor
        ):
            return f"{name} {mode} is not the key that was measured"
    return None


def _tempos(findings: Findings) -> list[float]:
    """As it was measured, and as it may be felt."""
    tempo = findings.tempo
    if tempo is None:
        return []
    return [tempo.bpm, tempo.bpm / 2, tempo.bpm * 2, *tempo.alternatives]
