"""A prompt as an understanding, by rules: no model is asked, and nothing fails."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from samplemind.domain.analysis import SampleKind
from samplemind.domain.library import AudioFileFilter, Range
from samplemind.domain.search import LONGEST_PROMPT, Understanding
from samplemind.words.keys import take_keys
from samplemind.words.numbers import (
    take_bars,
    take_length,
    take_loudness,
    take_other,
    take_tempo,
)
from samplemind.words.text import TAKEN, Text
from samplemind.words.vocabulary import (
    AND,
    DESCRIPTORS,
    FILLERS,
    LONGEST_PHRASE,
    LOOP_OF,
    LOOPS,
    NEGATORS,
    Meaning,
    phrases,
    stop_words,
)

# What holds letters and figures that are no key, tempo or length: each is one sign meanwhile.
_SHIELDED = re.compile(
    r"\b(?:drum ?(?:and|&|n|'n'?) ?bass|d ?(?:&|n|and|'n'?) ?b|r ?(?:&|n|'n'?) ?b|g[ -]funk|"
    r"e[ -]piano|a[ -]cappella|[ab][ -]sides?|w/o|"
    r"(?:tr|tb|mpc|sp|juno|jupiter|ms|sh|dx|jx|jp|jv|op|kr|cr|system|volca|prophet|model)"
    r"[ -]?\d+\w?|"
    r"(?:808|909|707|606|727|626|505|303)'?s?|"
    r"(?<!under )(?<!over )(?<!than )(?:19|20)?[5-9]0'?s|(?:19|20)\d\d)(?!\w)",
    re.I,
)
_FIRST_SIGN, _MOST_SIGNS = 0xE000, 0x1000
_WORD = re.compile(r"[^\W_]+(?:['&][^\W_]+)*|w/o|[\ue000-\uefff,;.!?/&|]")
_END = frozenset((TAKEN, ",", ";", ".", "!", "?", "with", "but"))

_MOST_NAMES = 10


def understand(prompt: str) -> Understanding:
    """What of the prompt (its first LONGEST_PROMPT characters) is understood."""
    plain = "".join(
        " " if unicodedata.category(char)[0] == "C" else char for char in prompt[:LONGEST_PROMPT]
    )
    shielded: list[str] = []

    def shield(match: re.Match[str]) -> str:
        shielded.append(match[0])
        return f" {chr(_FIRST_SIGN + len(shielded) - 1)} "

    text = Text(plain)
    text.left = _SHIELDED.sub(shield, text.left)
    ignored = take_other(text)
    length = take_length(text)
    loudness = take_loudness(text)
    keys = take_keys(text)
    tempo, more = take_tempo(text)
    bars, without_tempo = take_bars(text, tempo)
    ignored += [*more, *without_tempo, *text.refused]
    said = _Said()
    _read(_tokens(text.left, shielded), said)
    tempo = tempo or said.tempo
    labels, like = said.labels_for(has_tempo=tempo is not None)
    like = [*said.like, *(word for word in like if word not in said.like)]
    unlike = [word for word in said.unlike if word not in like]
    without = [name for name in said.without if name not in (*labels, *like)]
    names = said.names[:_MOST_NAMES]
    return Understanding(
        filter=AudioFileFilter(
            search=" ".join(names) or None,
            kinds=said.kinds_meant(),
            labels=tuple(labels) or None,
            without_labels=tuple(without) or None,
            keys=keys or None,
            tempo=tempo,
            duration_seconds=length or bars,
            loudness=loudness or said.loudness,
        ),
        like=tuple(like),
        unlike=tuple(unlike),
        ignored=tuple(dict.fromkeys([*ignored, *said.ignored, *said.names[_MOST_NAMES:]])),
    )


def _tokens(text: str, shielded: list[str]) -> list[str]:
    found: list[str] = []
    for token in _WORD.findall(text.lower()):
        at = ord(token[0]) - _FIRST_SIGN
        if not 0 <= at < _MOST_SIGNS:
            found.append(token)
        elif at < len(shielded):
            whole = shielded[at].lower()
            if whole in stop_words() or whole == "w/o":
                found.append(whole)
            else:
                found += re.split(r"[ -]+", whole)
    return found


@dataclass
class _Said:
    """What has been read so far, each thing once and in the order of the prompt."""

    meanings: list[Meaning] = field(default_factory=list)
    kinds: list[SampleKind] = field(default_factory=list)
    not_kinds: list[SampleKind] = field(default_factory=list)
    like: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    tempo: Range | None = None
    loudness: Range | None = None

    def add(self, meaning: Meaning) -> None:
        if meaning.labels:
            self.meanings.append(meaning)
        _extend(self.kinds, meaning.kinds)
        _extend(self.like, meaning.like)
        _extend(self.unlike, meaning.unlike)
        _extend(self.without, meaning.without)
        _extend(self.names, meaning.names)
        if meaning.faster_than or meaning.slower_than:
            self.tempo = Range(meaning.faster_than, meaning.slower_than)
        if meaning.louder_than or meaning.quieter_than:
            self.loudness = Range(meaning.louder_than, meaning.quieter_than)

    def refuse(self, meaning: Meaning) -> None:
        _extend(self.without, meaning.labels)
        # One drum is no loop of drums; all drums, and a bass, are one.
        if len(meaning.labels) > 2 or meaning.labels == ("bass",):
            _extend(self.without, (LOOP_OF[name] for name in meaning.labels if name in LOOP_OF))
        _extend(self.not_kinds, meaning.kinds)
        _extend(self.unlike, meaning.like)
        _extend(self.without, (word for word in meaning.like if word in DESCRIPTORS))
        _extend(self.like, meaning.unlike)
        _extend(self.ignored, (f"not {name}" for name in meaning.names))
        if meaning.faster_than or meaning.slower_than:
            self.tempo = Range(meaning.slower_than, meaning.faster_than)
        if meaning.louder_than or meaning.quieter_than:
            self.loudness = Range(meaning.quieter_than, meaning.louder_than)

    def kinds_meant(self) -> tuple[SampleKind, ...] | None:
        if self.not_kinds and not self.kinds:
            return tuple(kind for kind in SampleKind if kind not in self.not_kinds)
        return tuple(self.kinds) or None

    def labels_for(self, *, has_tempo: bool) -> tuple[list[str], list[str]]:
        """Labels that suit the kind, and what is said beyond them: a loop of guitar is called a
        melodic loop, and should be like a guitar."""
        plain = [each for each in self.meanings if not each.weak] or self.meanings
        kinds = set(self.kinds_meant() or ())
        labels: list[str] = []
        like: list[str] = []
        for meaning in plain:
            if kinds == {SampleKind.ONE_SHOT}:
                _extend(labels, _hits_of(meaning.labels))
            elif (kinds and SampleKind.ONE_SHOT not in kinds) or (has_tempo and not kinds):
                _extend(labels, (LOOP_OF.get(name, name) for name in meaning.labels))
                if len(meaning.labels) <= 2:
                    _extend(like, (name for name in meaning.labels if _needs_likeness(name)))
            else:
                _extend(labels, meaning.labels)
                if "bass" in meaning.labels and not meaning.weak:
                    _extend(labels, ("bass loop",))
        return labels, like


def _needs_likeness(name: str) -> bool:
    """Whether the name of its loops says less."""
    return name != "bass" and LOOP_OF.get(name) in LOOPS


def _hits_of(labels: Iterable[str]) -> Iterator[str]:
    """With the names of single sounds in place of those of loops."""
    for label in labels:
        if label in LOOPS:
            yield from (name for name, loop in LOOP_OF.items() if loop == label)
        else:
            yield label


def _extend(known: list, more: Iterable) -> None:
    known.extend(dict.fromkeys(each for each in more if each not in known))


def _read(tokens: list[str], said: _Said) -> None:
    at, negating = 0, False
    refused: Meaning | None = None
    """The last thing, if it was refused."""
    joined = False
    """Whether an "or" came after it."""
    while at < len(tokens):
        token = tokens[at]
        size, meaning = _phrase(tokens, at)
        if meaning:
            if negating or (joined and refused and _are_alike(refused, meaning)):
                said.refuse(meaning)
                refused = meaning
            else:
                said.add(meaning)
                refused = None
            negating = joined = False
            at += size
            continue
        at += 1
        if token in NEGATORS:
            negating, refused = True, None
        elif token in _END:
            negating, refused, joined = False, None, False
        elif token in AND:
            joined = refused is not None
        elif token in stop_words() or token in FILLERS:
            continue
        elif negating:
            said.ignored.append(f"not {token}")
            negating = False
        else:
            _extend(said.names, (token,))


def _phrase(tokens: list[str], at: int) -> tuple[int, Meaning | None]:
    """The longest phrase that begins there, as it is or in the singular."""
    for size in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
        *first, last = tokens[at : at + size]
        for form in (last, last.removesuffix("s"), last.removesuffix("es")):
            if meaning := phrases().get((*first, form)):
                return size, meaning
    return 0, None


def _are_alike(one: Meaning, other: Meaning) -> bool:
    """Whether "no A or B" refuses both."""
    return bool(one.labels) == bool(other.labels) and bool(one.like) == bool(other.like)
