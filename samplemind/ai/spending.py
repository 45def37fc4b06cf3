"""What questions take, counted by user and day, and what they may."""

from datetime import UTC, datetime, timedelta

from samplemind.ai.prices import PRICES, cost_usd
from samplemind.ai.provider import Reply
from samplemind.domain.ai import AiUsage
from samplemind.domain.errors import AiBudgetExceeded
from samplemind.settings import Settings
from samplemind.store import Store


class Spending:
    """Days are those of UTC."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._usages = store.ai_usages
        self._tokens = settings.ai_daily_tokens
        self._usd = settings.ai_daily_usd
        self._prices = {**PRICES, **settings.ai_prices}

    async def today(self, owner_id: str) -> AiUsage:
        return await self._usages.of(owner_id, datetime.now(UTC).date())

    async def require_room(self, owner_id: str) -> None:
        """Raises AiBudgetExceeded where a user's budget of today is spent. What is under way at
        that moment may still go beyond it."""
        if not (self._tokens or self._usd):
            return
        spent = await self.today(owner_id)
        if self._tokens and spent.tokens >= self._tokens:
            limit = f"{self._tokens:,} tokens"
        elif self._usd and spent.cost_usd >= self._usd:
            limit = f"{self._usd:.2f} US dollars"
        else:
            return
        tomorrow = spent.day + timedelta(days=1)
        raise AiBudgetExceeded(
            f"Your questions to AI providers may take {limit} a day, and today's have. Ask again "
            f"from {tomorrow:%Y-%m-%d} 00:00 UTC."
        )

    async def count(self, owner_id: str, model: str, reply: Reply) -> AiUsage:
        """What the reply took."""
        price = self._prices.get(model)
        tokens = reply.input_tokens + reply.output_tokens
        usage = AiUsage(
            day=datetime.now(UTC).date(),
            requests=1,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            unpriced_tokens=0 if price else tokens,
            cost_usd=cost_usd(price, reply) if price else 0.0,
        )
        await self._usages.add(owner_id, usage)
        return usage
