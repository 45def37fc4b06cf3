"""What can be watched live."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, TypeVar

import strawberry

import resolvers.analyses
import resolvers.audio_files
import resolvers.batch_jobs
from resolvers.live import in_a_place
from schema.analysis import Analysis
from schema.batch_job import BatchProgress
from schema.context import Info
from schema.directives import Cost
from schema.ids import decode_id_of

Model = TypeVar("Model")
Shown = TypeVar("Shown")


# What cannot be watched is refused before there is a stream: these return one, or raise.
@strawberry.type(description="What can be watched live.")
class Subscription:
    @strawberry.subscription(
        description="The state now, then every change in order, until the batch job has ended.",
        directives=[Cost(weight="10")],
    )
    async def batch_progress(
        self,
        info: Info,
        batch_id: Annotated[strawberry.ID, strawberry.argument(description="The batch job.")],
        after_sequence: Annotated[
            int | None,
            strawberry.argument(
                description="Every change after this one instead, so that nothing is missed "
                "between two connections; 0 tells the whole story, also of an ended batch job."
            ),
        ] = None,
    ) -> AsyncGenerator[BatchProgress, None]:
        scope = info.context
        batch = await resolvers.batch_jobs.batch_job(
            scope, decode_id_of("BatchJob", batch_id, ("batchId",))
        )
        changes = resolvers.batch_jobs.batch_progress(scope, batch, after_sequence)
        return _shown(await in_a_place(scope, changes), BatchProgress.of)

    @strawberry.subscription(
        description="The newest analysis of a file as it stands, then every step of every "
        "analysis of it, until the client leaves.",
        directives=[Cost(weight="10")],
    )
    async def analysis_updated(
        self,
        info: Info,
        audio_file_id: Annotated[strawberry.ID, strawberry.argument(description="The file.")],
    ) -> AsyncGenerator[Analysis, None]:
        scope = info.context
        id_ = decode_id_of("AudioFile", audio_file_id, ("audioFileId",))
        audio_file = await resolvers.audio_files.audio_file(scope, id_)
        steps = resolvers.analyses.analysis_updates(scope, audio_file)
        return _shown(await in_a_place(scope, steps), Analysis.of)


async def _shown(
    models: AsyncGenerator[Model, None], of: Callable[[Model], Shown]
) -> AsyncGenerator[Shown, None]:
    """Closes `models` with itself, so that whoever leaves frees what they hold at once."""
    async with aclosing(models):
        async for model in models:
            yield of(model)
