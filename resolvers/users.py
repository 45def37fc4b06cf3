"""People."""

from collections.abc import Sequence

from resolvers.scope import Scope
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.library import AudioFileFilter
from samplemind.domain.paging import Page, Window
from samplemind.domain.user import User


def viewer(scope: Scope) -> User | None:
    """None for an anonymous caller. Raises what was wrong with what the caller showed."""
    return scope.user if scope.caller.refusal else scope.viewer


def users(scope: Scope, ids: Sequence[str]) -> list[User | None]:
    """The users in the order of `ids`, None where the caller may not know of them: all but
    oneself."""
    return [scope.user if id_ == scope.owner_id else None for id_ in ids]


async def uploads(scope: Scope, window: Window) -> Page[AudioFile]:
    """A user's files, the newest first. A caller meets no user but oneself."""
    page = await scope.loaders.audio_file_pages.load(window)
    for row in page.rows:
        scope.loaders.audio_files_by_id.prime(row.value.id, row.value)
    return page


async def count_uploads(scope: Scope) -> int:
    return await scope.loaders.audio_file_counts.load(AudioFileFilter())


async def count_analyses(scope: Scope) -> int:
    """How many have succeeded."""
    return await scope.loaders.analysis_counts.load(scope.owner_id)
