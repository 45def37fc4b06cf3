"""What questions cost, and what they may."""

from datetime import UTC, datetime

import pytest

from samplemind.ai.prices import PRICES, cost_usd
from samplemind.ai.provider import Reply
from samplemind.ai.spending import Spending
from samplemind.domain.errors import AiBudgetExceeded
from samplemind.parts import Parts
from samplemind.settings import Settings


def _spending(parts: Parts, **limits: object) -> Spending:
    return Spending(parts.settings.model_copy(update=limits), parts.store)


def test_what_is_heard_has_a_price_of_its_own() -> None:
    reply = Reply("", input_tokens=1_000_000, output_tokens=100_000, audio_tokens=200_000)
    assert cost_usd((1.0, 10.0, 5.0), reply) == pytest.approx(0.8 + 1.0 + 1.0)
    assert cost_usd((1.0, 10.0), reply) == pytest.approx(1.0 + 1.0)


@pytest.mark.parametrize("model", [Settings().openai_model, Settings().gemini_model])
def test_the_default_models_have_a_price(model: str) -> None:
    assert all(price > 0 for price in PRICES[model])


async def test_a_budget_in_dollars(parts: Parts, owner_id: str) -> None:
    prices = {"dear": (10.0, 10.0)}
    spending = _spending(parts, ai_daily_usd=0.05, ai_prices=prices)
    for _ in range(2):
        await spending.require_room(owner_id)
        await spending.count(owner_id, "dear", Reply("", 2_000, 1_000))
    with pytest.raises(AiBudgetExceeded, match=r"0\.05 US dollars a day"):
        await spending.require_room(owner_id)
    today = await spending.today(owner_id)
    assert (today.day, today.requests) == (datetime.now(UTC).date(), 2)
    assert today.cost_usd == pytest.approx(0.06)
    # Nobody else's.
    await spending.require_room(f"{owner_id}x")


async def test_what_has_no_price_counts_as_tokens_alone(parts: Parts, owner_id: str) -> None:
    spending = _spending(parts, ai_daily_usd=0.001)
    await spending.count(owner_id, "of-my-own", Reply("", 2_000, 1_000))
    await spending.require_room(owner_id)
    today = await spending.today(owner_id)
    assert (today.cost_usd, today.unpriced_tokens, today.tokens) == (0.0, 3_000, 3_000)


async def test_a_deleted_account_leaves_no_count(parts: Parts, owner_id: str) -> None:
    spending = _spending(parts)
    await spending.count(owner_id, "of-my-own", Reply("", 2_000, 1_000))
    await parts.store.ai_answers.keep(owner_id, "insight:a:1:b", {"x": 1})
    await parts.store.forget_library(owner_id)
    assert (await spending.today(owner_id)).requests == 0
    assert await parts.store.ai_answers.find(owner_id, "insight:a:1:b") is None
