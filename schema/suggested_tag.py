"""Words that could be tags, as clients see them."""

import strawberry

from samplemind.domain.suggested_tag import TagSource


@strawberry.type(description="A word that could be a tag of a sound.")
class SuggestedTag:
    name: str = strawberry.field(description="For `acceptTags` or `refuseTags`.")
    score: float = strawberry.field(
        description="How sure it is, 0 to 1; 0.5 for words of an AI, which come without a score."
    )
    source: TagSource = strawberry.field(description="Who says so.")
    reason: str = strawberry.field(description="Why, for people.")
