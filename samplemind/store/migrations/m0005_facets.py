"""`facets`, and tags among `words`, are what filters look for. Without them no file of before is
of any kind, label, key or tag."""

import pymongo
from pymongo import UpdateOne

from samplemind.store.conditions import facets, words_and_tags
from samplemind.store.database import Database

_TOGETHER = 200
_INDEX_SECONDS = 3_600


async def run(database: Database) -> None:
    files = database["audio_files"]
    fields = dict.fromkeys(("owner_id", "kind", "labels", "musical_key", "tags", "facets"), 1)
    changes: list[UpdateOne] = []
    async for file in files.find({}, fields):
        if "facets" in file:
            continue
        owner, labels = file["owner_id"], file.get("labels") or ()
        found = facets(owner, [file.get("kind")], labels, [file.get("musical_key")])
        tags = words_and_tags(owner, (), file["tags"])
        change = {"$set": {"facets": found}, "$addToSet": {"words": {"$each": tags}}}
        # By its id alone: for a second condition the embedded server reads all rows.
        changes.append(UpdateOne({"_id": file["_id"]}, change))
        if len(changes) == _TOGETHER:
            await files.bulk_write(changes, ordered=False)
            changes = []
    if changes:
        await files.bulk_write(changes, ordered=False)
    # Of so many rows as may be there it takes longer than any other command, and nobody may begin
    # before it is there.
    with pymongo.timeout(_INDEX_SECONDS):
        await files.create_index("facets")
