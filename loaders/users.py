"""People by their id."""

from aiodataloader import DataLoader

from samplemind.domain.user import User
from samplemind.store import Store


class UsersByIdLoader(DataLoader[str, User | None]):
    """None where there is nobody."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    async def batch_load_fn(self, keys: list[str]) -> list[User | None]:
        return await self._store.users.by_ids(keys)
