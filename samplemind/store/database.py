"""The connection to the documents, and what all collections share."""

from typing import Any

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]

# After every other character that a key can hold, so `key + END` closes a range of prefixes.
END = "\U0010ffff"


def connect(url: str) -> tuple[AsyncIOMotorClient[Document], Database]:
    """A client and its database (`samplemind` where the address names none).

    Writes are acknowledged when they are in the journal; nothing is sent before the first use, and
    nothing waits for ever. A replica set elects another primary within the selection's time.
    """
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        url,
        journal=True,
        serverSelectionTimeoutMS=5_000,
        connectTimeoutMS=3_000,
        socketTimeoutMS=60_000,
        waitQueueTimeoutMS=5_000,
        appname="samplemind",
    )
    options: CodecOptions[Document] = CodecOptions(tz_aware=True)
    return client, client.get_default_database("samplemind", codec_options=options)


def scoped(owner_id: str, *rest: str) -> str:
    """A key that begins with its owner: reads by it can never meet another owner's rows."""
    return ":".join((owner_id, *rest))


def within(prefix: str) -> Document:
    """The condition that a key begins with `prefix`."""
    return {"$gt": prefix, "$lt": prefix + END}
