"""AI providers, and what asking them takes."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from resolvers.scope import Scope
from samplemind.domain.ai import AiProvider, AiUsage


@dataclass(frozen=True, slots=True)
class AiAllowance:
    """What was used of a day, and what may be; None is no limit."""

    used: AiUsage
    token_limit: int | None
    cost_limit_usd: float | None
    resets_at: datetime


async def ai_providers(scope: Scope) -> list[AiProvider]:
    """Every provider there is. None of them is asked for it."""
    return await scope.parts.ai.providers()


async def ai_allowance(scope: Scope) -> AiAllowance:
    """The caller's, of today."""
    settings = scope.parts.settings
    used = await scope.loaders.ai_usages.load(scope.owner_id)
    return AiAllowance(
        used=used,
        token_limit=settings.ai_daily_tokens or None,
        cost_limit_usd=settings.ai_daily_usd or None,
        resets_at=datetime.combine(used.day + timedelta(days=1), time(), UTC),
    )
