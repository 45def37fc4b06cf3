"""A library of generated files, and what a filter means, said once more in plain Python."""

import random
from dataclasses import dataclass, replace
from typing import Any

from samplemind.domain.analysis import (
    Analysis,
    Findings,
    Label,
    Loudness,
    Mode,
    MusicalKey,
    SampleKind,
    Tempo,
)
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.library import AudioFileFilter, KeyName, Range, TimeRange, words_of
from tests.domain.models import NOON, analysis, audio_file, embedding, findings, minutes

_NAMES = ("kick", "Kick", "snare", "808", "Straße", "鼓", "café", "🥁 hat", "a:b~c", "pad!")
_TAGS = ("dark", "bright", "dark pad", "one:two", "ümlaut", "~")
_LABELS = ("bass", "kick", "pad", "vocal")
_TEMPOS = (89.99, 90.0, 119.5, 120.0, 120.001, 174.0)
_KEYS = tuple(KeyName(tonic, mode) for tonic in ("A", "C#") for mode in Mode)


@dataclass(frozen=True)
class Sound:
    """A stored file and the analysis that it has, if any."""

    file: AudioFile
    analysis: Analysis | None

    @property
    def findings(self) -> Findings:
        return self.analysis.findings if self.analysis else Findings()


def sounds_of(owner_id: str, count: int = 60, seed: int = 7) -> list[Sound]:
    """Generated files, two of three analysed, in the order of their ids."""
    chance = random.Random(seed)  # noqa: S311
    return [_sound(owner_id, chance) for _ in range(count)]


def _sound(owner_id: str, chance: random.Random) -> Sound:
    name = chance.choice("_- .").join(chance.choices(_NAMES, k=chance.randint(1, 3)))
    file = audio_file(
        owner_id,
        seconds=chance.choice((0.25, 1.0, 2.5, 9.999, 10.0, 100.0)),
        filename=f"{name}.wav",
        size_bytes=chance.randint(1, 2**33),
        tags=tuple(sorted(set(chance.choices(_TAGS, k=chance.randint(0, 3))))),
        uploaded_at=NOON + minutes(chance.randint(0, 20)),
    )
    if chance.random() < 1 / 3:
        return Sound(file, None)
    key = chance.choice((None, *_KEYS))
    tempo = chance.choice((None, *_TEMPOS))
    labels = sorted(set(chance.choices(_LABELS, k=chance.randint(0, 3))))
    found = findings(
        kind=chance.choice(tuple(SampleKind)),
        key=key and MusicalKey(key.tonic, key.mode, 0.5),
        tempo=tempo and Tempo(tempo, 0.5, ()),
        labels=tuple(Label(name, 0.5) for name in labels),
        loudness=chance.choice((None, Loudness(-9.5, 0, None), Loudness(-23.0, 0, None))),
        embedding=embedding(*(chance.uniform(0.1, 1) for _ in range(4))),
    )
    made = analysis(owner_id, file.id, findings=found)
    return Sound(replace(file, analysis_id=made.id), made)


def filters(seed: int = 11) -> list[AudioFileFilter]:
    """Every condition alone, at its edges too, then many at once."""
    alone: list[dict[str, Any]] = [
        {},
        *(
            {"search": text}
            for text in ("kick", "KI", "808 sna", "strass", "鼓", "café", "a b", "!")
        ),
        *({"search": text} for text in ("", "kick kick", "nowhere", "ick", "da", "one two")),
        *({"tags": tags} for tags in ((), ("dark",), ("dark", "bright"), ("Dark",), ("~",))),
        *({"kinds": kinds} for kinds in ((), (SampleKind.LOOP,), tuple(SampleKind))),
        *({"labels": labels} for labels in ((), ("bass",), ("pad", "vocal"), ("none",))),
        *({"without_labels": labels} for labels in ((), ("bass",), ("pad", "vocal"), ("none",))),
        {"labels": ("pad",), "without_labels": ("bass", "vocal")},
        *({"loudness": Range(*ends)} for ends in ((None, -23.0), (-9.5, None), (-23, -9.5))),
        *({"keys": keys} for keys in ((), (_KEYS[0],), _KEYS)),
        *({"tempo": Range(*ends)} for ends in ((None, None), (120, 120), (90, None), (None, 90))),
        *({"tempo": Range(*ends)} for ends in ((120, 90), (119.5, 120.001))),
        *({"duration_seconds": Range(*ends)} for ends in ((1, 10), (None, 0.25), (10.0, None))),
        *({"uploaded_at": TimeRange(*ends)} for ends in ((None, None), (NOON + minutes(5), None))),
        {"uploaded_at": TimeRange(NOON + minutes(5), NOON + minutes(12))},
        {"uploaded_at": TimeRange(None, NOON)},
        {"analyzed": True},
        {"analyzed": False},
    ]
    chance = random.Random(seed)  # noqa: S311
    together: list[dict[str, Any]] = []
    for _ in range(40):
        chosen: dict[str, Any] = {}
        for condition in chance.sample(alone, chance.randint(2, 4)):
            chosen |= condition
        together.append(chosen)
    return [AudioFileFilter(**conditions) for conditions in (*alone, *together)]


def matches(sound: Sound, filter_: AudioFileFilter) -> bool:
    """All given conditions hold; "any of" nothing holds never, "all of" nothing always."""
    file, found = sound.file, sound.findings
    words = words_of(file.filename, *file.tags)
    labels = {label.name for label in found.labels}
    key = found.key and KeyName(found.key.tonic, found.key.mode)
    times = filter_.uploaded_at or TimeRange()
    return all(
        (
            all(any(w.startswith(p) for w in words) for p in words_of(filter_.search or "")),
            set(filter_.tags or ()) <= set(file.tags),
            filter_.kinds is None or found.kind in filter_.kinds,
            filter_.labels is None or bool(labels & set(filter_.labels)),
            not labels & set(filter_.without_labels or ()),
            filter_.keys is None or key in filter_.keys,
            _within(found.tempo and found.tempo.bpm, filter_.tempo),
            _within(file.facts.duration_seconds, filter_.duration_seconds),
            _within(found.loudness and found.loudness.integrated_lufs, filter_.loudness),
            times.start is None or file.uploaded_at >= times.start,
            times.end is None or file.uploaded_at <= times.end,
            filter_.analyzed is None or filter_.analyzed is (sound.analysis is not None),
        )
    )


def _within(number: float | None, bounds: Range | None) -> bool:
    low, high = (bounds.min, bounds.max) if bounds else (None, None)
    if low is None and high is None:
        return True
    return (
        number is not None and (low is None or number >= low) and (high is None or number <= high)
    )
