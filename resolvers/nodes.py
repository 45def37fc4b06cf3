"""Anything by its id."""

from resolvers.scope import Scope
from resolvers.users import users
from samplemind.domain.analysis import Analysis
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.user import User


async def node(
    scope: Scope, type_name: str, id_: str
) -> AudioFile | Analysis | BatchJob | User | None:
    """None where the caller has no such thing, or it cannot be fetched by id."""
    match type_name:
        case "AudioFile":
            return await scope.loaders.audio_files_by_id.load(id_)
        case "Analysis":
            analysis = await scope.loaders.analyses_by_id.load(id_)
            # The results of a deleted file are gone with it.
            if analysis and await scope.loaders.audio_files_by_id.load(analysis.audio_file_id):
                return analysis
            return None
        case "BatchJob":
            return await scope.loaders.batch_jobs_by_id.load(id_)
        case "User":
            return users(scope, [id_])[0]
        case _:
            return None
