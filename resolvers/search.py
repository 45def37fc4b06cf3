"""The library asked in words."""

import asyncio
import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from resolvers.prompts import understood
from resolvers.scope import Scope
from resolvers.similarity import Embedding
from samplemind.audio.blend import blend
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import BadUserInput
from samplemind.domain.library import AudioFileFilter, AudioFileOrder, words_of
from samplemind.domain.paging import Page, Row, Window
from samplemind.domain.search import (
    LONGEST_PROMPT,
    Condition,
    Understanding,
    Understood,
    conditions_of,
    without,
)
from samplemind.words.vocabulary import DESCRIPTORS, LOOPS, NAMES, OPPOSITES

_NEWEST = AudioFileOrder()
_FIELD = ("prompt",)

_LABELS = frozenset((*NAMES, *LOOPS, *DESCRIPTORS))

# How many of the newest files that match are looked at for examples, and how many of them, a part
# of those that bear the words, make the point to search from.
_LOOKED_THROUGH = 400
_BEST_OF, _FEW, _EXAMPLES = 3, 3, 15

# Of what lies nearest to that point so much is ranked, by what the analysis says of each and by how
# near it lies. Words alone cannot tell apart what bears them alike, nearness alone takes a dark tom
# for a dark kick: benchmarks/search_words.py.
_RANKED = 500
_WEIGHT_OF_WORDS = 0.7

# Scores of words for how a sound is go up to this, those of names to 1.
_DESCRIBING = 0.03

# Names that are any of more than so many are no picture of a sound.
_MOST_NAMES = 4

_KEPT_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class FoundAudioFile:
    """`score` is 1 for what is exactly as sought, 0 for what is nothing like it; None where the
    prompt says nothing that ranks."""

    audio_file: AudioFile
    score: float | None


@dataclass(frozen=True, slots=True)
class Found:
    page: Page[FoundAudioFile]
    understood: Understood


@dataclass(frozen=True, slots=True)
class _Search:
    """A prompt made ready. `ranking` has ids and scores, best first; None where nothing ranks."""

    understood: Understood
    ranking: tuple[tuple[str, float], ...] | None


_searches = TypeAdapter(_Search)


async def search_audio(scope: Scope, prompt: str, window: Window) -> Found:
    """What the prompt asks for: the likest first where it says how it should sound, else the
    newest. Raises BadUserInput for a prompt that is empty or too long, and for a bad cursor."""
    # Characters that are none (control, halves of others) mean nothing, and some parts refuse them.
    plain = (" " if unicodedata.category(char)[0] == "C" else char for char in prompt)
    prompt = "".join(plain).strip()
    if not prompt:
        raise BadUserInput("The prompt is empty: say what you look for.", field=_FIELD)
    if len(prompt) > LONGEST_PROMPT:
        message = f"The prompt has {len(prompt)} characters: {LONGEST_PROMPT} is the most."
        raise BadUserInput(message, field=_FIELD)
    token, search, window = await _resumed(scope, prompt, window)
    page = await _page(scope, search, window)
    rows = [Row(f"{token}:{row.key}", row.value) for row in page.rows]
    return Found(Page(rows, page.has_next, page.has_previous), search.understood)


async def _resumed(scope: Scope, prompt: str, window: Window) -> tuple[str, _Search, Window]:
    """The search that a cursor is of, as it was: a prompt must not change its meaning between
    two pages, however the library, or who understands it, has changed."""
    if window.after is None:
        search = await _prepared(scope, prompt)
        token = _token(prompt, search)
        kept = _searches.dump_python(search, mode="json")
        await scope.parts.cache.keep(_key(scope, token), kept, seconds=_KEPT_SECONDS)
        return token, search, window
    token, _, key = window.after.partition(":")
    kept = await scope.parts.cache.find(_key(scope, token))
    search = None if kept is None else _searches.validate_python(kept)
    if search is None or _token(prompt, search) != token:
        # Nothing is kept while Redis is away: the same library gives the same search.
        search = await _prepared(scope, prompt)
        if _token(prompt, search) != token:
            message = (
                "This cursor is of another search, or of one too long ago: begin again without it."
            )
            raise BadUserInput(message, field=("after",))
    return token, search, replace(window, after=key)


def _key(scope: Scope, token: str) -> str:
    return f"search:{scope.owner_id}:{token}"


def _token(prompt: str, search: _Search) -> str:
    whole = prompt.encode() + b"\0" + _searches.dump_json(search)
    return hashlib.sha256(whole).hexdigest()[:16]


async def _prepared(scope: Scope, prompt: str) -> _Search:
    found = await understood(scope, prompt)
    understanding = await _grounded(scope, found.understanding)
    ranks = bool(understanding.like or understanding.unlike)
    relaxed = await _relaxed(scope, understanding.filter, ranks=ranks)
    found = replace(found, understanding=understanding, relaxed=relaxed)
    return _Search(found, await _ranking(scope, found))


async def _page(scope: Scope, search: _Search, window: Window) -> Page[FoundAudioFile]:
    if search.ranking is not None:
        return await _page_of(scope, search.ranking, window)
    filter_ = search.understood.filter
    if filter_ == AudioFileFilter():
        # It asks for nothing, which is not the same as for everything.
        return Page([], has_next=False, has_previous=False)
    page = await scope.parts.store.audio_files.page(scope.owner_id, window, _NEWEST, filter_)
    return page.map(lambda file: FoundAudioFile(file, None))


async def _page_of(
    scope: Scope, ranking: Sequence[tuple[str, float]], window: Window
) -> Page[FoundAudioFile]:
    try:
        start = max(int(window.after or 0), 0)
    except ValueError:
        raise BadUserInput("This cursor is not one of a search.", field=("after",)) from None
    shown = ranking[start : start + window.size]
    files = await scope.loaders.audio_files_by_id.load_many([id_ for id_, _ in shown])
    rows = [
        Row(str(place), FoundAudioFile(file, score))
        for place, (file, (_, score)) in enumerate(zip(files, shown, strict=True), start + 1)
        # It may have been deleted meanwhile.
        if file is not None
    ]
    more = len(ranking) > start + window.size
    return Page(rows, has_next=more, has_previous=window.after is not None)


async def _grounded(scope: Scope, understanding: Understanding) -> Understanding:
    """Without the words that neither the analysis nor any name or tag of the library knows."""
    search = (understanding.filter.search or "").split()
    said = (*search, *understanding.like, *understanding.unlike)
    asked = [word for word in dict.fromkeys(said) if word not in _LABELS]
    known = await scope.parts.store.audio_files.known_words(scope.owner_id, asked)
    unknown = [word for word in asked if word not in known]

    def rest(words: Iterable[str]) -> tuple[str, ...]:
        return tuple(word for word in words if word not in unknown)

    return Understanding(
        filter=replace(understanding.filter, search=" ".join(rest(search)) or None),
        like=rest(understanding.like),
        unlike=rest(understanding.unlike),
        ignored=tuple(dict.fromkeys((*understanding.ignored, *unknown))),
    )


async def _relaxed(scope: Scope, filter_: AudioFileFilter, *, ranks: bool) -> tuple[Condition, ...]:
    """What is given up so that something is found, in the order of Condition; none where nothing
    helps. What was given up without need is taken back."""

    async def finds(given_up: Iterable[Condition]) -> bool:
        looser = without(filter_, given_up)
        page = await scope.parts.store.audio_files.page(scope.owner_id, Window(1), _NEWEST, looser)
        return bool(page.rows)

    if await finds(()):
        return ()
    given_up: list[Condition] = []
    for condition in conditions_of(filter_):
        given_up.append(condition)
        if await finds(given_up):
            break
    else:
        return ()
    for condition in reversed(given_up[:-1]):
        fewer = [each for each in given_up if each is not condition]
        if await finds(fewer):
            given_up = fewer
    # Everything that there is answers nothing.
    is_all = without(filter_, given_up) == AudioFileFilter()
    return () if is_all and not ranks else tuple(given_up)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What ranks: `names` any of which it should be, words that it should bear, and words that it
    should not."""

    names: tuple[str, ...]
    like: tuple[str, ...]
    unlike: tuple[str, ...]

    @classmethod
    def of(cls, found: Understood) -> "_Wanted":
        understanding = found.understanding
        names = found.filter.labels or ()
        like = understanding.like
        opposites = (OPPOSITES[word] for word in like if word in OPPOSITES)
        unlike = dict.fromkeys((*understanding.unlike, *opposites))
        return cls(
            names=names if len(names) <= _MOST_NAMES else (),
            like=like,
            unlike=tuple(word for word in unlike if word not in like),
        )

    @property
    def away(self) -> "_Wanted":
        return _Wanted(self.names, self.unlike, self.like)

    @property
    def labels(self) -> tuple[str, ...]:
        """What examples have to bear, where it is a label."""
        return tuple(word for word in self.like or self.names if word in _LABELS)

    def strength(self, known: "_Known") -> float:
        """How much the sound is wanted: 1 is the most, 0.5 what speaks neither for it nor against
        it where words say how it should sound."""
        name = max(map(known.strength, self.names)) if self.names else 1.0
        if not (self.like or self.unlike):
            return name
        return name * (1 + known.mean(self.like) - known.mean(self.unlike)) / 2


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one sound: the scores of its labels, and the words in its names."""

    scores: Mapping[str, float]
    words: Sequence[str]

    def strength(self, word: str) -> float:
        """How strongly it bears the word, 0 to 1."""
        if word not in _LABELS:
            return float(any(own.startswith(word) for own in self.words))
        return min(1.0, self.scores.get(word, 0) / (_DESCRIBING if word in DESCRIPTORS else 1))

    def mean(self, words: Sequence[str]) -> float:
        return sum(map(self.strength, words)) / max(len(words), 1)


async def _ranking(scope: Scope, found: Understood) -> tuple[tuple[str, float], ...] | None:
    """The point to search from is made of the library's own sounds: those that bear the words
    strongest, away from those that bear their opposites (samplemind.audio.blend). Examples that
    the filter leaves are the best: the darkest of basses are not the darkest of all."""
    filter_, wanted = found.filter, _Wanted.of(found)
    if not (wanted.names or wanted.like or wanted.unlike):
        return None
    likes = await _examples(scope, filter_, wanted)
    away = await _examples(scope, filter_, wanted.away) if wanted.unlike else []
    towards, from_ = await asyncio.gather(
        _vectors(scope, likes), _vectors(scope, [file for file in away if file not in likes])
    )
    if not towards:
        return None
    target = blend(towards, from_)
    near = await scope.parts.vectors.nearest(scope.owner_id, target, _RANKED, filter_)
    files = await scope.loaders.audio_files_by_id.load_many([each.audio_file_id for each in near])
    known = await _known(scope, [file for file in files if file])
    ranked = [
        (id_, round(_blended(wanted.strength(known[id_]), each.score), 6))
        for each in near
        if (id_ := each.audio_file_id) in known
    ]
    # Where nothing that has a vector is left by the filter, the newest are the answer.
    return tuple(sorted(ranked, key=lambda each: (-each[1], each[0]))) or None


def _blended(of_words: float, of_nearness: float) -> float:
    return _WEIGHT_OF_WORDS * of_words + (1 - _WEIGHT_OF_WORDS) * of_nearness


async def _examples(scope: Scope, filter_: AudioFileFilter, wanted: _Wanted) -> list[AudioFile]:
    """The files that are wanted most, in the order of their ids: the same examples make the same
    point."""
    chosen: dict[str, AudioFile] = {}
    if labels := wanted.labels:
        best = await _best(scope, filter_, wanted)
        if len(best) < _FEW:
            anywhere = replace(wanted, names=())
            best += await _best(scope, AudioFileFilter(labels=labels), anywhere)
        count = min(max(len(best) // _BEST_OF, _FEW), _EXAMPLES)
        chosen |= {file.id: file for file in best[:count]}
    for word in wanted.like:
        if word not in _LABELS:
            named = await _newest(scope, replace(filter_, search=word), _EXAMPLES)
            named = named or await _newest(scope, AudioFileFilter(search=word), _EXAMPLES)
            chosen |= {file.id: file for file in named}
    return [chosen[id_] for id_ in sorted(chosen)]


async def _best(scope: Scope, filter_: AudioFileFilter, wanted: _Wanted) -> list[AudioFile]:
    """Those that bear a label that is wanted, the most wanted first."""
    files = await _newest(scope, filter_, _LOOKED_THROUGH)
    known = await _known(scope, files)
    bearing = [file for file in files if known[file.id].mean(wanted.labels) > 0]
    return sorted(bearing, key=lambda file: (-wanted.strength(known[file.id]), file.id))


async def _known(scope: Scope, files: Sequence[AudioFile]) -> dict[str, _Known]:
    ids = [file.analysis_id for file in files if file.analysis_id]
    scores = await scope.parts.store.analyses.label_scores(scope.owner_id, ids)
    return {
        file.id: _Known(scores.get(file.analysis_id or "", {}), words_of(file.filename, *file.tags))
        for file in files
    }


async def _newest(scope: Scope, filter_: AudioFileFilter, count: int) -> list[AudioFile]:
    files = scope.parts.store.audio_files
    page = await files.page(scope.owner_id, Window(count), _NEWEST, filter_)
    return [row.value for row in page.rows]


async def _vectors(scope: Scope, files: list[AudioFile]) -> list[Embedding]:
    return [known for known in await scope.loaders.embeddings.load_many(files) if known]
