"""Numbers that say how fast, how long or how loud a sound is, with the words around them."""

import re

from samplemind.domain.library import Range
from samplemind.words.text import Text

_NUMBER = r"(?<![\w.#])(\d{1,5}(?:\.\d+)?)"
_LEAST = r"over|above|more than|faster than|longer than|louder than|at least|min(?:imum)?|>=?"
_MOST = (
    r"under|below|less than|slower than|shorter than|quieter than|at most|up to|no longer than|"
    r"max(?:imum)?|<=?"
)
_NEAR = r"around|about|approx(?:imately)?\.?|roughly|circa|ca\.|near|close to|~"
_BOUND = rf"(?<!\w)(?:({_LEAST})|({_MOST})|({_NEAR}))\s*"
_BPM = r"(?:bpm|beats per minute)\b"
_UNIT = r"(ms|msecs?|milliseconds?|s|secs?|seconds?|mins?|minutes?)\b"

# What a filter has no condition for: 24 bit, 440 Hz, -6 dB, 4/4, 2nd.
_OTHER = re.compile(
    r"(?<![\w.])-?\d+(?:\.\d+)?\s?(?:k?hz|k|bits?|kbps|%|db|st|nd|rd|th|cents?|octaves?|semitones?)"
    r"(?!\w)|(?<!\w)\d{1,2}/\d{1,2}(?!\w)",
    re.I,
)

_TEMPO_RANGE = re.compile(
    rf"(?:\b(?:between|from)\s+)?{_NUMBER}\s*(?:{_BPM})?\s*(-|to|and|\.\.\.?)\s*"
    rf"(\d{{1,5}}(?:\.\d+)?)(?![\w.#-])\s*({_BPM})?",
    re.I,
)
_TEMPO_BOUND = re.compile(rf"{_BOUND}{_NUMBER}(?![\w#]|\.\d)\s*({_BPM})?", re.I)
_TEMPO_NAMED = re.compile(
    rf"{_NUMBER}\s*{_BPM}|\b(?:bpm|tempo)\s*(?:of|:|=|at)?\s*{_NUMBER}(?![\w.])", re.I
)
_TEMPO_ALONE = re.compile(r"(?:\bat\s+)?(?<![\w.#/-])(\d{2,3}(?:\.\d+)?)(?![\w#/-]|\.\d)", re.I)
_HALF_TIME = re.compile(r"\bhalf[\s-]?time\b", re.I)
_DOUBLE_TIME = re.compile(r"\bdouble[\s-]?time\b", re.I)

_LIKELY = (55, 215)
"""A number that nothing is said of is a tempo between these."""

_POSSIBLE = (20, 400)

_LENGTH_RANGE = re.compile(
    rf"(?:\b(?:between|from)\s+)?{_NUMBER}\s*(?:{_UNIT})?\s*(?:-|to|and)\s*"
    rf"(\d{{1,5}}(?:\.\d+)?)\s*-?{_UNIT}",
    re.I,
)
_LENGTH = re.compile(rf"(?:{_BOUND})?{_NUMBER}\s*-?{_UNIT}(?:\s+long\b)?", re.I)
_BARS = re.compile(r"(?<![\w.#])(\d{1,3})\s*-?(bar|measure|beat)s?\b(?:\s+long\b)?", re.I)
_LUFS = re.compile(rf"(?:{_BOUND})?(?<![\w.])-?(\d{{1,2}}(?:\.\d+)?)\s*(?:lufs|lkfs)\b", re.I)


def take_other(text: Text) -> list[str]:
    return text.take(_OTHER, lambda match: match[0].strip())


def take_tempo(text: Text) -> tuple[Range | None, list[str]]:
    """In BPM, and what else seemed to be one. What is exact has a BPM of room on both sides,
    "around" 3 %."""
    found = text.take(_TEMPO_RANGE, _tempo_range)
    found += text.take(_TEMPO_BOUND, _tempo_bound)
    found += text.take(_TEMPO_NAMED, lambda m: _tempo(m[1] or m[2], m[0], _POSSIBLE))
    found += text.take(_TEMPO_ALONE, lambda m: _tempo(m[1], m[0], _LIKELY))
    half, double = text.has(_HALF_TIME), text.has(_DOUBLE_TIME)
    if not found:
        said = (("half-time", half), ("double-time", double))
        return None, [word for word, is_said in said if is_said]
    (tempo, _), *others = found
    ends = [end for end in (tempo.min, tempo.max) if end is not None]
    if half and min(ends) >= 120:
        tempo = _scaled(tempo, 0.5)
    elif double and max(ends) <= 110:
        tempo = _scaled(tempo, 2)
    return tempo, [said for _, said in others]


def _tempo_range(match: re.Match[str]) -> tuple[Range, str] | None:
    low, high = float(match[1]), float(match[3])
    has_unit = bool(match[4])
    if match[2].lower() == "and" and not match[0].lower().startswith("between"):
        return None
    least, most = _POSSIBLE if has_unit else _LIKELY
    if not least <= min(low, high) <= max(low, high) <= most:
        return None
    return _ordered(low, high), match[0].strip()


def _tempo_bound(match: re.Match[str]) -> tuple[Range, str] | None:
    bpm = float(match[4])
    least, most = _POSSIBLE if match[5] else _LIKELY
    if not least <= bpm <= most:
        return None
    if match[1]:
        return Range(bpm, None), match[0].strip()
    if match[2]:
        return Range(None, bpm), match[0].strip()
    return _rounded(bpm * 0.97, bpm * 1.03), match[0].strip()


def _tempo(number: str, said: str, among: tuple[float, float]) -> tuple[Range, str] | None:
    bpm = float(number)
    return (Range(bpm - 1, bpm + 1), said.strip()) if among[0] <= bpm <= among[1] else None


def take_length(text: Text) -> Range | None:
    """In seconds. What is exact has a tenth of room on both sides, "around" a quarter."""
    found = text.take(_LENGTH_RANGE, _length_range) + text.take(_LENGTH, _length)
    return found[0] if found else None


def _length_range(match: re.Match[str]) -> Range:
    unit = _seconds(match[4])
    low = float(match[1]) * (_seconds(match[2]) if match[2] else unit)
    return _ordered(low, float(match[3]) * unit)


def _length(match: re.Match[str]) -> Range:
    seconds = float(match[4]) * _seconds(match[5])
    if match[1]:
        return Range(seconds, None)
    if match[2]:
        return Range(None, seconds)
    room = 0.25 if match[3] else 0.1
    return _rounded(seconds * (1 - room), seconds * (1 + room))


def take_bars(text: Text, tempo: Range | None) -> tuple[Range | None, list[str]]:
    """The seconds of so many bars (of four beats) or beats, and what cannot be told: without a
    tempo they have no length."""
    said = text.take(_BARS, lambda match: (match[0].strip(), match))
    if tempo is None or not tempo.min or not tempo.max:
        return None, [words for words, _ in said]
    for _, match in said:
        beats = int(match[1]) * (1 if match[2].lower() == "beat" else 4)
        if beats:
            # A loop may end in a tail.
            return _rounded(beats * 60 / tempo.max * 0.98, beats * 60 / tempo.min * 1.05), []
    return None, []


def take_loudness(text: Text) -> Range | None:
    """In LUFS, also where the sign is left out."""
    found = text.take(_LUFS, _loudness)
    return found[0] if found else None


def _loudness(match: re.Match[str]) -> Range:
    lufs = -float(match[4])
    if match[1]:
        return Range(lufs, None)
    if match[2]:
        return Range(None, lufs)
    return Range(lufs - 1.5, lufs + 1.5)


def _seconds(unit: str) -> float:
    unit = unit.lower()
    return 0.001 if unit.startswith(("ms", "mil")) else 60.0 if unit.startswith("m") else 1.0


def _ordered(a: float, b: float) -> Range:
    return _rounded(min(a, b), max(a, b))


def _scaled(tempo: Range, by: float) -> Range:
    return Range(*(end and end * by for end in (tempo.min, tempo.max)))


def _rounded(low: float, high: float) -> Range:
    return Range(round(low, 3), round(high, 3))
