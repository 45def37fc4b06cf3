"""`standing` says how deep the analysis of a file is. Without it a later one that asked less took
the place of a deeper one."""

from samplemind.domain.analysis import AnalysisLevel
from samplemind.store.database import Database


async def run(database: Database) -> None:
    files, analyses = database["audio_files"], database["analyses"]
    async for file in files.find({}, {"analysis_id": 1, "standing": 1}):
        if file.get("standing") or not (analysis_id := file.get("analysis_id")):
            continue
        analysis = await analyses.find_one({"_id": analysis_id}, {"level": 1})
        if analysis is None:
            continue
        depth = AnalysisLevel(analysis["level"]).depth
        # Only while that analysis stands still: a worker may be at it.
        await files.update_one(
            {"_id": file["_id"], "analysis_id": analysis_id, "standing": None},
            {"$set": {"standing": f"{depth}:{analysis_id}"}},
        )
