"""What is counted of people."""

import asyncio
from datetime import UTC, datetime

from loaders.loader import Loader
from samplemind.domain.ai import AiUsage
from samplemind.store import Store


class AnalysisCountsLoader(Loader[str, int]):
    """How many analyses have succeeded, by their owner: counted once, whoever asks."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, keys: list[str]) -> list[int]:
        return await asyncio.gather(*map(self._store.analyses.count_succeeded, keys))


class AiUsagesLoader(Loader[str, AiUsage]):
    """What questions to AI providers took today, by who asked them: read once, whoever asks."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, keys: list[str]) -> list[AiUsage]:
        today = datetime.now(UTC).date()
        return await asyncio.gather(*(self._store.ai_usages.of(key, today) for key in keys))
