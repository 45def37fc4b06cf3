"""The library asked in words."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from resolvers.prompts import understood
from resolvers.scope import Scope
from resolvers.similarity import Embedding, nearest
from samplemind.audio.blend import blend
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import BadUserInput
from samplemind.domain.library import AudioFileFilter, AudioFileOrder
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

# How many of the newest files that match are looked at for examples, and how many examples of
# what is sought, and of what is not, make the point to search from.
_LOOKED_THROUGH = 400
_EXAMPLES = 15
_BEST_OF, _FEW = 3, 3
"""Of many that bear a word, a third are its examples, and three at least."""

# Scores of words for how a sound is go up to this, those of names to 1.
_DESCRIBING = 0.03

# Names that are any of more than so many are no picture of a sound.
_MOST_NAMES = 4

_KEPT_SECONDS = 6 * 3_600


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
    """A prompt made ready. `target` is the point to search from, None where nothing ranks;
    `is_nothing` where the prompt asks for nothing."""

    understood: Understood
    target: Embedding | None


_searches = TypeAdapter(_Search)


async def search_audio(scope: Scope, prompt: str, window: Window) -> Found:
    """What the prompt asks for: the likest first where it says how it should sound, else the
    newest. Raises BadUserInput for a prompt that is empty or too long, and for a bad cursor."""
    prompt = prompt.strip()
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
    return _Search(found, await _target(scope, found))


async def _page(scope: Scope, search: _Search, window: Window) -> Page[FoundAudioFile]:
    filter_ = search.understood.filter
    if search.target is not None:
        found = await nearest(scope, search.target, frozenset(), window, filter_)
        return found.map(lambda each: FoundAudioFile(each.audio_file, each.score))
    if filter_ == AudioFileFilter():
        # It asks for nothing, which is not the same as for everything.
        return Page([], has_next=False, has_previous=False)
    page = await scope.parts.store.audio_files.page(scope.owner_id, window, _NEWEST, filter_)
    return page.map(lambda file: FoundAudioFile(file, None))


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
        if without(filter_, given_up) == AudioFileFilter() and not ranks:
            return ()
        if await finds(given_up):
            break
    else:
        return ()
    for condition in reversed(given_up[:-1]):
        fewer = [each for each in given_up if each is not condition]
        if await finds(fewer):
            given_up = fewer
    return tuple(given_up)


async def _target(scope: Scope, found: Understood) -> Embedding | None:
    """The point to search from, made of the library's own sounds: those that bear the words
    strongest, away from those that bear their opposites (samplemind.audio.blend). Examples that
    the filter leaves are the best: the darkest of basses are not the darkest of all."""
    understanding, filter_ = found.understanding, found.filter
    names = understanding.filter.labels or ()
    # All that is left bears the names: they are sought where nothing else is.
    like = list(understanding.like or (names if len(names) <= _MOST_NAMES else ()))
    unlike = list(understanding.unlike)
    if not (like or unlike):
        return None
    away = [*unlike, *(OPPOSITES[word] for word in like if word in OPPOSITES)]
    away = [word for word in away if word not in like]
    likes = await _examples(scope, filter_, like, away)
    unlikes = [file for file in await _examples(scope, filter_, away, like) if file not in likes]
    towards, from_ = await asyncio.gather(_vectors(scope, likes), _vectors(scope, unlikes))
    if not towards:
        return None
    target = blend(towards, from_)
    # Where nothing that has a vector is left by the filter, the newest are the answer.
    return target if await scope.parts.vectors.nearest(scope.owner_id, target, 1, filter_) else None


async def _examples(
    scope: Scope, filter_: AudioFileFilter, words: Sequence[str], others: Sequence[str]
) -> list[AudioFile]:
    """The files that bear the words strongest and the others weakest, in the order of their ids:
    the same examples make the same point."""
    labels = tuple(word for word in words if word in _LABELS)
    chosen: dict[str, AudioFile] = {}
    if labels:
        best = await _strongest(scope, filter_, labels, others)
        if len(best) < _FEW:
            best += await _strongest(scope, AudioFileFilter(labels=labels), labels, others)
        count = min(max(len(best) // _BEST_OF, _FEW), _EXAMPLES)
        chosen |= {file.id: file for file in best[:count]}
    for word in words:
        if word not in _LABELS:
            named = await _newest(scope, replace(filter_, search=word), _EXAMPLES)
            named = named or await _newest(scope, AudioFileFilter(search=word), _EXAMPLES)
            chosen |= {file.id: file for file in named}
    return [chosen[id_] for id_ in sorted(chosen)]


async def _strongest(
    scope: Scope, filter_: AudioFileFilter, words: Sequence[str], others: Sequence[str]
) -> list[AudioFile]:
    files = await _newest(scope, filter_, _LOOKED_THROUGH)
    ids = [file.analysis_id for file in files if file.analysis_id]
    scores = await scope.parts.store.analyses.label_scores(scope.owner_id, ids)
    rated = []
    for file in files:
        known = scores.get(file.analysis_id or "", {})
        if (bears := _strength(known, words)) > 0:
            rated.append((_strength(known, others) - bears, file.id, file))
    return [file for *_, file in sorted(rated, key=lambda each: each[:2])]


def _strength(scores: dict[str, float], words: Sequence[str]) -> float:
    """How strongly a sound bears the words together: 1 for each at the most."""
    return sum(scores.get(word, 0) / (_DESCRIBING if word in DESCRIPTORS else 1) for word in words)


async def _newest(scope: Scope, filter_: AudioFileFilter, count: int) -> list[AudioFile]:
    files = scope.parts.store.audio_files
    page = await files.page(scope.owner_id, Window(count), _NEWEST, filter_)
    return [row.value for row in page.rows]


async def _vectors(scope: Scope, files: list[AudioFile]) -> list[Embedding]:
    return [known for known in await scope.loaders.embeddings.load_many(files) if known]
