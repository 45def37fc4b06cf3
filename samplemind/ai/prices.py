"""What tokens cost."""

from samplemind.ai.provider import Reply

# US dollars for a million tokens: what is read, what is written, what is heard. From
# others' pages of June 2026, not checked with the providers: SAMPLEMIND_AI_PRICES says better.
PRICES: dict[str, tuple[float, ...]] = {
    "gpt-4o-mini": (0.15, 0.60),
    "gemini-2.5-flash": (0.30, 2.50, 1.00),
}


def cost_usd(price: tuple[float, ...], reply: Reply) -> float:
    """In US dollars. Where no price is known for what is heard, it is that of what is read."""
    reads, writes, hears = (*price, price[0])[:3]
    read = reply.input_tokens - reply.audio_tokens
    return (read * reads + reply.audio_tokens * hears + reply.output_tokens * writes) / 1_000_000
