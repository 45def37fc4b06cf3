"""Tags that are suggested: reading, accepting, refusing."""

from collections.abc import Sequence

from resolvers.analyses import known_analyses
from resolvers.audio_files import add_tags, audio_file
from resolvers.scope import Scope
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import BadUserInput, NotFound
from samplemind.domain.naming import clean_tags
from samplemind.domain.suggested_tag import SuggestedTag
from samplemind.domain.suggested_tag import suggested_tags as suggest

_FIELD = ("input", "tags")
_MOST_REFUSED = 200


async def suggested_tags(
    scope: Scope, audio_files: Sequence[AudioFile]
) -> list[list[SuggestedTag]]:
    """Of each file, in order."""
    analyses = await known_analyses(scope, audio_files)
    return [suggest(file, known) for file, known in zip(audio_files, analyses, strict=True)]


async def accept_tags(scope: Scope, id_: str, tags: Sequence[str]) -> AudioFile:
    """Adds the tags to those that the file has. Raises NotFound, BadUserInput."""
    current, cleaned = await audio_file(scope, id_), clean_tags(tags, field=_FIELD)
    had = {tag.casefold() for tag in current.tags}
    missing = [tag for tag in cleaned if tag.casefold() not in had]
    clean_tags([*current.tags, *missing], field=_FIELD)
    return await add_tags(scope, current, missing, accepted=cleaned) if cleaned else current


async def refuse_tags(scope: Scope, id_: str, tags: Sequence[str]) -> AudioFile:
    """Has the tags suggested for this file no more. Raises NotFound, BadUserInput."""
    current, cleaned = await audio_file(scope, id_), clean_tags(tags, field=_FIELD)
    refused = [tag.casefold() for tag in cleaned]
    if len({*current.refused_tags, *refused}) > _MOST_REFUSED:
        message = f"{_MOST_REFUSED} tags can be refused for a file at most."
        raise BadUserInput(message, field=_FIELD)
    changed = await scope.parts.store.audio_files.refuse_tags(scope.owner_id, id_, refused)
    if changed is None:
        raise NotFound("There is no such file in your library.", field=("input", "audioFileId"))
    scope.loaders.audio_files_by_id.clear(id_).prime(id_, changed)
    return changed
