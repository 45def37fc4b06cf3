"""What AI providers say of a sound, and what asking them takes, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry
from strawberry.scalars import JSON

from resolvers.ai import AiAllowance
from samplemind.domain.ai import AiProviderName


@strawberry.type(description="What an AI, asked as a producer, says of a sound.")
class AiInsight:
    provider: AiProviderName = strawberry.field(description="Who has answered.")
    model: str = strawberry.field(description="Which of the provider's models.")
    summary: str = strawberry.field(description="What the sound is and where it fits.")
    detailed: JSON = strawberry.field(
        description="Lists of texts: instruments, mood, genre, mixNotes, arrangementIdeas."
    )
    production_tips: list[str] = strawberry.field(description="How to process it.")
    creative_ideas: list[str] = strawberry.field(description="What else to make of it.")
    fl_studio_recommendations: list[str] = strawberry.field(
        description="Plugins that FL Studio brings along, how to set them, and why."
    )


@strawberry.type(description="Somebody who can be asked about sounds.")
class AiProvider:
    name: AiProviderName = strawberry.field(description="Its name.")
    model: str = strawberry.field(description="The model that is asked.")
    configured: bool = strawberry.field(description="Whether this server may ask it.")
    healthy: bool = strawberry.field(
        description="Whether it would be asked now: it is configured, has not failed too often of "
        "late, and does not ask to be left alone."
    )


@strawberry.type(description="What your questions to AI providers took today (UTC).")
class AiUsage:
    requests: int = strawberry.field(description="Answers that were paid for.")
    input_tokens: int = strawberry.field(description="What was read.")
    output_tokens: int = strawberry.field(description="What was written.")
    unpriced_tokens: int = strawberry.field(
        description="Those among them whose price this server does not know."
    )
    cost_usd: float = strawberry.field(description="What the others cost, in US dollars.")
    token_limit: int | None = strawberry.field(
        description="Tokens that you may use in a day; null is no limit."
    )
    cost_limit_usd: float | None = strawberry.field(
        description="US dollars that you may use in a day; null is no limit."
    )
    resets_at: datetime = strawberry.field(description="When the next day begins.")

    @classmethod
    def of(cls, model: AiAllowance) -> Self:
        used = model.used
        return cls(
            requests=used.requests,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            unpriced_tokens=used.unpriced_tokens,
            cost_usd=used.cost_usd,
            token_limit=model.token_limit,
            cost_limit_usd=model.cost_limit_usd,
            resets_at=model.resets_at,
        )
