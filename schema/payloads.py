"""What a mutation answers: what changed, or errors that a client can act on by code."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

import strawberry
from strawberry.scalars import JSON

from samplemind.domain.errors import DomainError
from schema.analysis import Analysis
from schema.audio_file import AudioFile
from schema.batch_job import BatchJob
from schema.directives import list_size


@strawberry.type(description="Why a mutation changed nothing.")
class UserError:
    code: str = strawberry.field(description="Stable, for programs.")
    message: str = strawberry.field(description="For people: what is wrong and what to do.")
    field: list[str] | None = strawberry.field(description="The path of the input at fault.")

    @classmethod
    def of(cls, error: DomainError) -> Self:
        return cls(
            code=error.code,
            message=error.message,
            field=None if error.field is None else list(error.field),
        )


P = ParamSpec("P")
Payload = TypeVar("Payload")


def answers(
    payload: type[Payload],
) -> Callable[[Callable[P, Awaitable[Payload]]], Callable[P, Awaitable[Payload]]]:
    """Turns an expected failure of a mutation into a payload that holds it."""

    def decorate(resolve: Callable[P, Awaitable[Payload]]) -> Callable[P, Awaitable[Payload]]:
        @wraps(resolve)
        async def answer(*args: P.args, **kwargs: P.kwargs) -> Payload:
            try:
                return await resolve(*args, **kwargs)
            except DomainError as error:
                info: Any = kwargs["info"]
                info.context.outcome = error.code
                arguments: dict[str, Any] = {"errors": [UserError.of(error)]}
                return payload(**arguments)

        return answer

    return decorate


def errors() -> Any:
    return strawberry.field(
        default_factory=list,
        description="Empty where it succeeded.",
        directives=[list_size(1)],
    )


@strawberry.type(
    description="The answer of `requestUpload`: how to send the bytes. Then call `completeUpload`."
)
class RequestUploadPayload:
    upload_id: strawberry.ID | None = strawberry.field(
        default=None, description="What to pass to `completeUpload`."
    )
    url: str | None = strawberry.field(
        default=None,
        description="Where the bytes go, as the body of one request; signed, needs no other "
        "authorisation. What broke off can be sent again, from the beginning.",
    )
    method: str | None = strawberry.field(default=None, description="The HTTP method: PUT.")
    headers: JSON | None = strawberry.field(
        default=None, description="HTTP headers to send along, by name."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="Until when it can be sent and completed."
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `uploadAudio` and `completeUpload`.")
class UploadAudioPayload:
    audio_file: AudioFile | None = strawberry.field(default=None, description="The stored file.")
    analysis: Analysis | None = strawberry.field(
        default=None, description="Its analysis, where one was asked for."
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `updateAudioFile`.")
class UpdateAudioFilePayload:
    audio_file: AudioFile | None = strawberry.field(default=None, description="The changed file.")
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `acceptTags` and `refuseTags`.")
class SuggestedTagsPayload:
    audio_file: AudioFile | None = strawberry.field(default=None, description="The changed file.")
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `deleteAudioFile`.")
class DeleteAudioFilePayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id that is no more."
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `analyzeAudio`.")
class AnalyzeAudioPayload:
    analysis: Analysis | None = strawberry.field(
        default=None, description="The analysis: done already, under way, or queued now."
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of the mutations on batch jobs.")
class BatchJobPayload:
    batch_job: BatchJob | None = strawberry.field(default=None, description="The batch job.")
    errors: list[UserError] = errors()
