"""What is not done with has a place, and a batch an epoch. Without them it is never begun, or never
counted. Workers of before know no places, so they are to be stopped first."""

from datetime import UTC, datetime

from samplemind.domain.analysis import AnalysisStatus, Lane
from samplemind.store.database import Database, scoped
from samplemind.store.places import STAGES


async def run(database: Database) -> None:
    analyses, batches = database["analyses"], database["batch_jobs"]
    # That was the mark of before.
    fields = {"owner_id": 1, "status": 1, "batch_id": 1, "pending": 1}
    async for row in analyses.find({}, fields):
        if not row.get("pending"):
            continue
        lane = Lane.BATCH if row.get("batch_id") else Lane.INTERACTIVE
        stage = STAGES[AnalysisStatus(row["status"])]
        place = {
            "lane": lane,
            "place": scoped(stage, lane, row["owner_id"], row["_id"]),
            "placed_at": datetime.now(UTC),
        }
        await analyses.update_one({"_id": row["_id"]}, {"$set": place, "$unset": {"pending": ""}})
    async for row in batches.find({}, {"counting": 1}):
        if row.get("counting"):
            continue
        first = {"epoch": 0, "counting": f"{row['_id']}:0"}
        await batches.update_one({"_id": row["_id"]}, {"$set": first})
