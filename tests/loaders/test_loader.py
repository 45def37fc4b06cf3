"""Who waits for a key may leave."""

import asyncio

import pytest

from loaders.loader import Loader


class _Doubles(Loader[int, int]):
    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()

    async def batch_load_fn(self, keys: list[int]) -> list[int]:
        await self.may_answer.wait()
        return [2 * key for key in keys]


async def test_who_leaves_takes_the_answer_from_nobody() -> None:
    loader = _Doubles()

    async def wait_for_it() -> int:
        return await loader.load(2)

    leaves, stays = asyncio.create_task(wait_for_it()), asyncio.create_task(wait_for_it())
    many = asyncio.ensure_future(loader.load_many([1, 2]))
    await asyncio.sleep(0)
    leaves.cancel()
    many.cancel()
    for left in (leaves, many):
        with pytest.raises(asyncio.CancelledError):
            await left
    loader.may_answer.set()
    assert await stays == 4
    assert await loader.load_many([1, 2]) == [2, 4]
