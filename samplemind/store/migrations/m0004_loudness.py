"""`loudness` is what a filter compares. Without it no file of before is loud or quiet; its vector,
which is filtered by the same, is made again by and by."""

from samplemind.store.database import Database, scoped


async def run(database: Database) -> None:
    files, analyses, syncs = (
        database[name] for name in ("audio_files", "analyses", "vector_syncs")
    )
    fields = {"owner_id": 1, "analysis_id": 1, "loudness": 1}
    async for file in files.find({}, fields):
        if "loudness" in file or not (analysis_id := file.get("analysis_id")):
            continue
        analysis = await analyses.find_one({"_id": analysis_id}, {"findings.loudness": 1})
        loudness = ((analysis or {}).get("findings") or {}).get("loudness")
        lufs = loudness["integrated_lufs"] if loudness else None
        await files.update_one({"_id": file["_id"]}, {"$set": {"loudness": lufs}})
        sync = {"owner_id": file["owner_id"], "audio_file_id": file["_id"]}
        key = scoped(file["owner_id"], file["_id"])
        await syncs.update_one({"key": key}, {"$set": sync}, upsert=True)
