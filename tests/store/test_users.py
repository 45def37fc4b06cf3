"""People are stored on first sight."""

import asyncio
from dataclasses import replace

from samplemind.domain.user import Role
from samplemind.parts import Parts
from tests.domain.models import user


async def test_ensuring_twice_keeps_the_first(parts: Parts, owner_id: str) -> None:
    first = user(owner_id)
    assert await parts.store.users.ensure(first) == first
    changed = replace(first, username="another", role=Role.ADMIN)
    assert await parts.store.users.ensure(changed) == first


async def test_many_at_once_agree(parts: Parts, owner_id: str) -> None:
    seen = [replace(user(owner_id), username=f"name {n}") for n in range(10)]
    answers = await asyncio.gather(*map(parts.store.users.ensure, seen))
    assert len(set(answers)) == 1
    assert answers[0] in seen


async def test_users_come_in_the_order_asked_for(parts: Parts, owner_id: str) -> None:
    first, second = user(owner_id), user(owner_id + "-2")
    for one in (first, second):
        await parts.store.users.ensure(one)
    ids = [second.id, "missing", first.id]
    assert await parts.store.users.by_ids(ids) == [second, None, first]
