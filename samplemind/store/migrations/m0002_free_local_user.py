"""`claim` says that the local user is nobody's account yet. Without it who registers first does
not get what was stored before there were accounts."""

from samplemind.domain.user import LOCAL_USER
from samplemind.store.database import Database
from samplemind.store.users import UNCLAIMED


async def run(database: Database) -> None:
    await database["users"].update_one(
        {"_id": LOCAL_USER, "claim": None, "password_hash": None}, {"$set": {"claim": UNCLAIMED}}
    )
