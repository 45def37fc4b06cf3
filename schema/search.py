"""The library asked in words, as clients see it."""

from typing import Annotated, Self

import strawberry

import resolvers.search
from samplemind.domain import search as domain
from samplemind.domain.analysis import Mode, SampleKind
from samplemind.domain.search import LONGEST_PROMPT, Condition, UnderstoodBy
from schema.analysis import Failure
from schema.audio_file import AudioFile
from schema.context import Info
from schema.directives import Cost, list_size
from schema.paging import PAGED_FORWARD, After, First, PageInfo, encode_cursor, window
from schema.values import shown_as

_ORDER = "search"
_WORDS = [list_size(20)]


@strawberry.type(description="A range of numbers, as `FloatRange`; both ends belong to it.")
class UnderstoodRange:
    min: float | None = strawberry.field(description="The least; null is open.")
    max: float | None = strawberry.field(description="The most; null is open.")


@strawberry.type(description="A key by name, as `KeyInput`.")
class UnderstoodKey:
    tonic: str = strawberry.field(description="C, C#, D … B.")
    mode: Mode = strawberry.field(description="Major or minor.")


@strawberry.type(
    description="What was said plainly, in the fields of `AudioFileFilter`: what is not null may "
    "be changed and passed as one."
)
class UnderstoodFilter:
    search: str | None = strawberry.field(description="Words of filenames and tags.")
    kinds: list[SampleKind] | None = strawberry.field(
        description="Any of these kinds.", directives=[list_size(3)]
    )
    labels: list[str] | None = strawberry.field(
        description="Any of these labels.", directives=_WORDS
    )
    without_labels: list[str] | None = strawberry.field(
        description="None of these labels.", directives=_WORDS
    )
    keys: list[UnderstoodKey] | None = strawberry.field(
        description="Any of these keys.", directives=[list_size(24)]
    )
    tempo: UnderstoodRange | None = strawberry.field(description="A range of BPM.")
    duration_seconds: UnderstoodRange | None = strawberry.field(description="A range of seconds.")
    loudness: UnderstoodRange | None = strawberry.field(description="A range of LUFS.")


@strawberry.type(
    description="How it should sound, which ranks what the filter leaves. Words are labels of the "
    "analysis, or words of filenames and tags: the library's own sounds that bear them are the "
    "examples."
)
class SoundProfile:
    like: list[str] = strawberry.field(description="What it should be like.", directives=_WORDS)
    unlike: list[str] = strawberry.field(
        description="What it should not be like.", directives=_WORDS
    )


@strawberry.type(description="A prompt as it was understood.")
class PromptUnderstanding:
    filter: UnderstoodFilter = strawberry.field(description="What was said plainly.")
    profile: SoundProfile = strawberry.field(description="How it should sound.")
    ignored_words: list[str] = strawberry.field(
        description="What says nothing that can be searched by.", directives=_WORDS
    )
    relaxed: list[Condition] = strawberry.field(
        description="Conditions of the filter that were given up, since nothing meets all.",
        directives=[list_size(8)],
    )
    by: UnderstoodBy = strawberry.field(description="Who understood it.")
    fallback: Failure | None = strawberry.field(
        description="Why the parser did, where an AI is configured."
    )

    @classmethod
    def of(cls, model: domain.Understood) -> Self:
        understanding = model.understanding
        return cls(
            filter=shown_as(UnderstoodFilter, understanding.filter),
            profile=shown_as(SoundProfile, understanding),
            ignored_words=list(understanding.ignored),
            relaxed=list(model.relaxed),
            by=model.by,
            fallback=shown_as(Failure, model.fallback),
        )


@strawberry.type(description="A sound that was found by words.")
class SearchAudioEdge:
    cursor: str = strawberry.field(description="Pass it as `after`.")
    node: AudioFile = strawberry.field(description="The sound.")
    score: float | None = strawberry.field(
        description="1 is exactly as sought, 0 nothing like it; null where nothing ranks."
    )


@strawberry.type(
    description="A page of what a prompt found: the likest first, or the newest where nothing "
    "ranks."
)
class SearchAudioConnection:
    edges: list[SearchAudioEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")
    understood: PromptUnderstanding = strawberry.field(
        description="The prompt as it was understood, the same for all pages."
    )

    @classmethod
    def of(cls, found: resolvers.search.Found) -> Self:
        return cls(
            edges=[
                SearchAudioEdge(
                    cursor=encode_cursor(_ORDER, row.key),
                    node=AudioFile.of(row.value.audio_file),
                    score=row.value.score,
                )
                for row in found.page.rows
            ],
            page_info=PageInfo.of(found.page, _ORDER),
            understood=PromptUnderstanding.of(found.understood),
        )


@strawberry.type
class SearchQuery:
    @strawberry.field(
        description='What words ask for: "dark rolling bass around 174 in F minor". Tempo, key, '
        "kind, length, loudness and labels become a filter, how it should sound an order; "
        "`understood` says which.",
        directives=[Cost(weight="20"), PAGED_FORWARD],
    )
    async def search_audio(
        self,
        info: Info,
        prompt: Annotated[
            str,
            strawberry.argument(
                description=f"What is sought, in English: 1 to {LONGEST_PROMPT} characters."
            ),
        ],
        first: First = None,
        after: After = None,
    ) -> SearchAudioConnection:
        asked = window(_ORDER, first, after)
        return SearchAudioConnection.of(
            await resolvers.search.search_audio(info.context, prompt, asked)
        )
