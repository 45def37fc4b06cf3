"""Keys as they are written: F minor, F#m, Bb, in A, 4A on the Camelot wheel, 9m as Open Key."""

import re

from samplemind.domain.analysis import TONICS, Mode, MusicalKey
from samplemind.domain.library import KeyName
from samplemind.words.text import Text

Keys = tuple[KeyName, ...]

_SIGN = r"(#|b(?![a-z])|[\s-]?sharp\b|[\s-]?flat\b)?"
_IN = r"(?i:\b(?:in|key of|key:?)\s+(?:the key of\s+)?)"
_CHORD = r"(?:7|9|11|13|6|add9)?(?![\w#])"

# The mode alone: "in a minor key" is none of A.
_MODE_ALONE = re.compile(
    r"\b(?:in\s+)?(?:an?\s+)?(major|minor)\s+(?:keys?|scales?|tonality|mode|feel|vibes?|mood)\b",
    re.I,
)
_NAMED = re.compile(
    rf"({_IN})?(?<![\w#&'])([a-g])(#|b|[\s-]?sharp|[\s-]?flat)?[\s-]?(major|minor|maj|min){_CHORD}"
    r"(?=\s*(\S*))",
    re.I,
)
_SHORT = re.compile(rf"({_IN})?(?<![\w#&'])([A-Ga-g])(#|b)?m{_CHORD}")
_WHEEL = re.compile(rf"({_IN}|(?i:\bcamelot)\s+)?(?<![\w.#])(1[0-2]|[1-9])([abAB])(?![\w#])")
_OPEN = re.compile(rf"({_IN}|(?i:\bopen key)\s+)?(?<![\w.#])(1[0-2]|[1-9])([md])(?![\w#])")
_TONIC_IN = re.compile(rf"({_IN})([A-Ga-g]){_SIGN}(?![\w#'&])(?=(\s*)(\S*))", re.I)
_TONIC = re.compile(
    r"(?<![\w#&'])(?:([A-G])(#|b)|([a-g])(#|[\s-]sharp|[\s-]flat))(?:-?[0-7])?(?![\w#])"
)
_NOTE = re.compile(r"(?<![\w#&'])([A-G])([0-7])(?![\w#])")
_LETTER = re.compile(
    r"(?<![\w#&'+.-])(?<!part )(?<!take )(?<!side )(?<!version )(?<!plan )(?<!group )"
    r"([B-G])(?![\w#&'+.-])"
)
_MODE_LAST = re.compile(r"\b(?:in\s+)?(major|minor)\b", re.I)

# What may follow "in a" where a is the key: nothing, or another condition.
_AFTER_KEY = re.compile(
    r"^(?:$|[,.;!?)|]|\d|(?:at|around|about|and|or|with|for|without|but)$)", re.I
)

_STEPS = {"#": 1, "sharp": 1, "b": -1, "flat": -1}


def take_keys(text: Text) -> Keys:
    """Every key that is named: any of them is meant. A tonic alone is both of its modes, a mode
    alone is that of every tonic."""
    any_tonic = text.take(_MODE_ALONE, lambda m: _of_mode(m[1]))
    found = text.take(_NAMED, _named)
    found += text.take(_SHORT, _short)
    found += text.take(_WHEEL, _wheel)
    found += text.take(_OPEN, _open)
    found += text.take(_TONIC_IN, _tonic_in)
    found += text.take(_TONIC, lambda m: _both(m[1] or m[3], m[2] or m[4]))
    found += text.take(_NOTE, lambda m: _both(m[1], None))
    found += text.take(_LETTER, lambda m: _both(m[1], None))
    any_tonic += text.take(_MODE_LAST, lambda m: _of_mode(m[1]))
    return tuple(dict.fromkeys(key for keys in found or any_tonic for key in keys))


def _named(match: re.Match[str]) -> Keys:
    said_in, letter, sign, mode, after = match.groups()
    if letter == "a" and not (said_in or sign or _AFTER_KEY.match(after)):
        return _of_mode(mode)
    return (_key(letter, sign, _mode(mode)),)


def _short(match: re.Match[str]) -> Keys | None:
    said_in, letter, sign = match[1], match[2], match[3]
    # "am" is a word, "fm" a kind of synthesis.
    if letter in "af" and not (sign or said_in):
        return None
    return (_key(letter, sign, Mode.MINOR),)


def _wheel(match: re.Match[str]) -> Keys | None:
    if match[3].islower() and not match[1]:
        return None
    mode = Mode.MINOR if match[3].upper() == "A" else Mode.MAJOR
    name = f"{match[2]}{match[3].upper()}"
    return tuple(key for key in _of_mode(mode.value) if _known(key).camelot == name)


def _open(match: re.Match[str]) -> Keys | None:
    # 3d is a way to hear, not a key.
    if match[2] in "23" and match[3] == "d" and not match[1]:
        return None
    mode = Mode.MINOR if match[3] == "m" else Mode.MAJOR
    name = f"{match[2]}{match[3]}"
    return tuple(key for key in _of_mode(mode.value) if _known(key).open_key == name)


def _tonic_in(match: re.Match[str]) -> Keys | None:
    of_key = "key" in match[1].lower()
    if match[2] in "ab" and not (of_key or match[3] or _AFTER_KEY.match(match[5])):
        return None
    return _both(match[2], match[3])


def _known(key: KeyName) -> MusicalKey:
    return MusicalKey(key.tonic, key.mode, 1.0)


def _mode(word: str) -> Mode:
    return Mode.MAJOR if word.lower().startswith("maj") else Mode.MINOR


def _of_mode(word: str) -> Keys:
    return tuple(KeyName(tonic, _mode(word)) for tonic in TONICS)


def _both(letter: str, sign: str | None) -> Keys:
    return tuple(_key(letter, sign, mode) for mode in Mode)


def _key(letter: str, sign: str | None, mode: Mode) -> KeyName:
    step = _STEPS.get((sign or "").strip(" -").lower(), 0)
    return KeyName(TONICS[(TONICS.index(letter.upper()) + step) % 12], mode)
