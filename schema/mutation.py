"""What can be changed. Expected failures come as the payload's `errors`."""

from typing import Annotated, Any, cast

import strawberry
from strawberry.scalars import JSON

import resolvers.analyses
import resolvers.audio_files
import resolvers.batch_jobs
import resolvers.suggested_tags
import resolvers.uploads
from samplemind.domain.analysis import AnalysisOptions
from samplemind.domain.errors import BadUserInput
from schema.account import AccountMutation
from schema.analysis import Analysis
from schema.api_key import ApiKeyMutation
from schema.audio_file import AudioFile
from schema.batch_job import BatchJob
from schema.context import Info
from schema.directives import CHANGE, LARGE_CHANGE
from schema.ids import decode_id_of, encode_id
from schema.inputs import (
    AcceptTagsInput,
    AnalyzeAudioInput,
    CancelBatchJobInput,
    CompleteUploadInput,
    CreateBatchJobInput,
    DeleteAudioFileInput,
    RefuseTagsInput,
    RequestUploadInput,
    RetryBatchJobInput,
    UpdateAudioFileInput,
    UploadAudioInput,
)
from schema.payloads import (
    AnalyzeAudioPayload,
    BatchJobPayload,
    DeleteAudioFilePayload,
    RequestUploadPayload,
    SuggestedTagsPayload,
    UpdateAudioFilePayload,
    UploadAudioPayload,
    answers,
)
from schema.session import SessionMutation
from schema.webhook import WebhookMutation

_ID = ("input", "id")


def _options(input: UploadAudioInput | CompleteUploadInput) -> AnalysisOptions | None:
    return input.analyze and input.analyze.to_domain()


@strawberry.type(description="What can be changed. Expected failures come as `errors`.")
class Mutation(SessionMutation, ApiKeyMutation, WebhookMutation, AccountMutation):
    @strawberry.mutation(
        description="Stores a sound and, with `analyze`, has it analysed. The same bytes give "
        "the same file again.",
        directives=LARGE_CHANGE,
    )
    @answers(UploadAudioPayload)
    async def upload_audio(
        self,
        info: Info,
        input: Annotated[UploadAudioInput, strawberry.argument(description="The sound.")],
    ) -> UploadAudioPayload:
        upload: Any = input.file
        if not hasattr(upload, "file"):
            message = "Send the file by a GraphQL multipart request, with null as its variable."
            raise BadUserInput(message, field=("input", "file"))
        stored, analysis = await resolvers.audio_files.upload_audio(
            info.context, upload.file, upload.filename or "", input.tags or [], _options(input)
        )
        return UploadAudioPayload(
            audio_file=AudioFile.of(stored), analysis=Analysis.of(analysis) if analysis else None
        )

    @strawberry.mutation(
        description="Announces an upload, for a file of any size: send its bytes to the URL that "
        "is answered, then call `completeUpload`.",
        directives=CHANGE,
    )
    @answers(RequestUploadPayload)
    async def request_upload(
        self,
        info: Info,
        input: Annotated[RequestUploadInput, strawberry.argument(description="What will come.")],
    ) -> RequestUploadPayload:
        upload, url = await resolvers.uploads.request_upload(
            info.context, input.filename, input.size_bytes
        )
        return RequestUploadPayload(
            upload_id=encode_id("Upload", upload.id),
            url=url,
            method="PUT",
            headers=cast("JSON", {"Content-Type": "application/octet-stream"}),
            expires_at=upload.expires_at,
        )

    @strawberry.mutation(
        description="Stores the bytes that were sent to an announced upload, as `uploadAudio` "
        "does. Works once; where it fails, the bytes can be sent and completed again.",
        directives=LARGE_CHANGE,
    )
    @answers(UploadAudioPayload)
    async def complete_upload(
        self,
        info: Info,
        input: Annotated[CompleteUploadInput, strawberry.argument(description="Which, and how.")],
    ) -> UploadAudioPayload:
        id_ = decode_id_of("Upload", input.upload_id, ("input", "uploadId"))
        stored, analysis = await resolvers.uploads.complete_upload(
            info.context, id_, input.tags or [], _options(input)
        )
        return UploadAudioPayload(
            audio_file=AudioFile.of(stored), analysis=Analysis.of(analysis) if analysis else None
        )

    @strawberry.mutation(
        description="Changes the filename or the tags of a file.", directives=CHANGE
    )
    @answers(UpdateAudioFilePayload)
    async def update_audio_file(
        self,
        info: Info,
        input: Annotated[UpdateAudioFileInput, strawberry.argument(description="The change.")],
    ) -> UpdateAudioFilePayload:
        id_ = decode_id_of("AudioFile", input.id, _ID)
        changed = await resolvers.audio_files.update_audio_file(
            info.context, id_, input.filename, input.tags
        )
        return UpdateAudioFilePayload(audio_file=AudioFile.of(changed))

    @strawberry.mutation(
        description="Adds suggested tags to those of a file. What was refused and is accepted now "
        "is refused no more.",
        directives=CHANGE,
    )
    @answers(SuggestedTagsPayload)
    async def accept_tags(
        self,
        info: Info,
        input: Annotated[AcceptTagsInput, strawberry.argument(description="Which.")],
    ) -> SuggestedTagsPayload:
        id_ = decode_id_of("AudioFile", input.audio_file_id, ("input", "audioFileId"))
        changed = await resolvers.suggested_tags.accept_tags(info.context, id_, input.tags)
        return SuggestedTagsPayload(audio_file=AudioFile.of(changed))

    @strawberry.mutation(
        description="Has tags suggested for a file no more, also after another analysis.",
        directives=CHANGE,
    )
    @answers(SuggestedTagsPayload)
    async def refuse_tags(
        self,
        info: Info,
        input: Annotated[RefuseTagsInput, strawberry.argument(description="Which.")],
    ) -> SuggestedTagsPayload:
        id_ = decode_id_of("AudioFile", input.audio_file_id, ("input", "audioFileId"))
        changed = await resolvers.suggested_tags.refuse_tags(info.context, id_, input.tags)
        return SuggestedTagsPayload(audio_file=AudioFile.of(changed))

    @strawberry.mutation(
        description="Deletes a file with everything known about it.", directives=CHANGE
    )
    @answers(DeleteAudioFilePayload)
    async def delete_audio_file(
        self,
        info: Info,
        input: Annotated[DeleteAudioFileInput, strawberry.argument(description="The file.")],
    ) -> DeleteAudioFilePayload:
        id_ = decode_id_of("AudioFile", input.id, _ID)
        await resolvers.audio_files.delete_audio_file(info.context, id_)
        return DeleteAudioFilePayload(deleted_id=encode_id("AudioFile", id_))

    @strawberry.mutation(
        description="Has a file analysed. Where an analysis of this level is done or under way, "
        "that one is the answer, unless `force` is given.",
        directives=CHANGE,
    )
    @answers(AnalyzeAudioPayload)
    async def analyze_audio(
        self,
        info: Info,
        input: Annotated[AnalyzeAudioInput, strawberry.argument(description="What to ask.")],
    ) -> AnalyzeAudioPayload:
        id_ = decode_id_of("AudioFile", input.audio_file_id, ("input", "audioFileId"))
        audio_file = await resolvers.audio_files.audio_file(info.context, id_)
        analysis = await resolvers.analyses.request_analysis(
            info.context, audio_file, input.to_domain(), force=bool(input.force)
        )
        return AnalyzeAudioPayload(analysis=Analysis.of(analysis))

    @strawberry.mutation(description="Has many files analysed.", directives=LARGE_CHANGE)
    @answers(BatchJobPayload)
    async def create_batch_job(
        self,
        info: Info,
        input: Annotated[CreateBatchJobInput, strawberry.argument(description="Which, and how.")],
    ) -> BatchJobPayload:
        field = ("input", "audioFileIds")
        given = input.audio_file_ids
        ids = None if given is None else [decode_id_of("AudioFile", id_, field) for id_ in given]
        batch = await resolvers.batch_jobs.create_batch_job(
            info.context,
            ids,
            input.filter.to_domain() if input.filter else None,
            input.options(),
            input.idempotency_key,
        )
        return BatchJobPayload(batch_job=BatchJob.of(batch))

    @strawberry.mutation(
        description="Cancels what has not begun of a batch job; what is running ends by itself.",
        directives=CHANGE,
    )
    @answers(BatchJobPayload)
    async def cancel_batch_job(
        self,
        info: Info,
        input: Annotated[CancelBatchJobInput, strawberry.argument(description="Which.")],
    ) -> BatchJobPayload:
        id_ = decode_id_of("BatchJob", input.id, _ID)
        batch = await resolvers.batch_jobs.cancel_batch_job(info.context, id_)
        return BatchJobPayload(batch_job=BatchJob.of(batch))

    @strawberry.mutation(
        description="Queues the failed items of a batch job again.", directives=LARGE_CHANGE
    )
    @answers(BatchJobPayload)
    async def retry_batch_job(
        self,
        info: Info,
        input: Annotated[RetryBatchJobInput, strawberry.argument(description="Which.")],
    ) -> BatchJobPayload:
        id_ = decode_id_of("BatchJob", input.id, _ID)
        batch = await resolvers.batch_jobs.retry_batch_job(info.context, id_)
        return BatchJobPayload(batch_job=BatchJob.of(batch))
