"""Uploads in two steps: announced here, sent to a URL, completed here."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from resolvers.audio_files import upload_audio
from resolvers.quota import require_room_to_come
from resolvers.scope import Scope
from samplemind.domain.analysis import Analysis, AnalysisOptions
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import (
    BadUserInput,
    DigestMismatch,
    EmptyUpload,
    FileTooLarge,
    SizeMismatch,
    UploadBusy,
    UploadCompleted,
    UploadExpired,
    UploadIncomplete,
    UploadNotFound,
)
from samplemind.domain.ids import new_id, now
from samplemind.domain.naming import clean_filename
from samplemind.domain.upload import Upload
from samplemind.links import LinkKind
from samplemind.parts import Parts

_LASTS = timedelta(hours=1)
# Longer than any takes; whoever died over it is not waited for longer.
_COMPLETING = timedelta(minutes=15)

_ID = ("input", "uploadId")
_SIZE = ("input", "sizeBytes")


async def request_upload(scope: Scope, filename: str, size_bytes: float) -> tuple[Upload, str]:
    """Announces an upload; answers it and the URL that takes its bytes by PUT.

    Raises BadUserInput, EmptyUpload, FileTooLarge, QuotaExceeded.
    """
    if size_bytes < 0 or not size_bytes.is_integer():
        raise BadUserInput("`sizeBytes` is a whole number of bytes.", field=_SIZE)
    if not size_bytes:
        raise EmptyUpload("The file is empty: there is nothing to store.", field=_SIZE)
    limit = scope.parts.settings.max_upload_bytes
    if size_bytes > limit:
        message = f"The file is larger than {limit:,} bytes, the most that is accepted."
        raise FileTooLarge(message, field=_SIZE)
    await require_room_to_come(scope, int(size_bytes))
    upload = Upload(
        id=new_id(),
        owner_id=scope.owner_id,
        filename=clean_filename(filename),
        size_bytes=int(size_bytes),
        expires_at=now() + _LASTS,
    )
    await scope.parts.store.uploads.add(upload)
    return upload, await _upload_url(scope, upload)


async def _upload_url(scope: Scope, upload: Upload) -> str:
    parts = scope.parts
    if parts.blobs.signs:
        [url] = await parts.blobs.signed_urls("PUT", [upload.blob_key], _LASTS)
        return url
    owner_id, id_ = upload.owner_id, upload.id
    return scope.base_url + parts.links.path(LinkKind.UPLOADS, owner_id, id_, upload.expires_at)


async def receive_upload(
    parts: Parts,
    owner_id: str,
    id_: str,
    chunks: AsyncIterator[bytes],
    *,
    sha256: bytes | None = None,
) -> None:
    """Stores the bytes of an announced upload as they arrive: all of them or nothing.

    May be done again until the upload is completed; the last bytes count. `sha256` is what the
    sender says their digest is. Raises SizeMismatch, DigestMismatch, UploadNotFound,
    UploadExpired, UploadCompleted.
    """
    upload = await _open_upload(parts, owner_id, id_)
    await parts.blobs.put(upload.blob_key, _checked(upload, chunks, sha256))
    try:
        await _open_upload(parts, owner_id, id_)
    except (UploadNotFound, UploadCompleted):
        # Nobody would ever fetch or clean away what came too late.
        await parts.blobs.remove(upload.blob_key)
        raise


async def complete_upload(
    scope: Scope, id_: str, tags: Sequence[str], options: AnalysisOptions | None
) -> tuple[AudioFile, Analysis | None]:
    """Makes a file of the bytes that have arrived, as `upload_audio` does. Works once.

    Raises UploadNotFound, UploadExpired, UploadCompleted, UploadBusy, UploadIncomplete,
    SizeMismatch, and what `upload_audio` raises: then the upload stays open.
    """
    parts, uploads = scope.parts, scope.parts.store.uploads
    upload = await _open_upload(parts, scope.owner_id, id_)
    if not await uploads.claim(scope.owner_id, id_, now(), now() + _COMPLETING):
        await _open_upload(parts, scope.owner_id, id_)
        raise UploadBusy("Another request completes this upload right now.", field=_ID)
    try:
        received = await parts.blobs.size(upload.blob_key)
        if received is None:
            message = "Its bytes have not arrived: PUT them to its URL first."
            raise UploadIncomplete(message, field=_ID)
        _require_size(upload, received)
        async with parts.blobs.file(upload.blob_key) as path:
            with path.open("rb") as file:
                stored = await upload_audio(scope, file, upload.filename, tags, options)
        await uploads.complete(scope.owner_id, id_)
    except BaseException:
        await uploads.release(scope.owner_id, id_)
        raise
    await parts.blobs.remove(upload.blob_key)
    return stored


async def remove_expired_uploads(parts: Parts) -> None:
    """Cleans away what was announced and never completed, an hour after its time was over: who
    still sends it by then has begun in time."""
    for upload in await parts.store.uploads.expired(now() - _LASTS):
        await parts.blobs.remove(upload.blob_key)
        await parts.store.uploads.remove(upload.owner_id, upload.id)


async def _open_upload(parts: Parts, owner_id: str, id_: str) -> Upload:
    """An upload that can be sent and completed."""
    upload = await parts.store.uploads.by_id(owner_id, id_)
    if upload is None:
        raise UploadNotFound("There is no such upload: request one.", field=_ID)
    if upload.completed:
        message = "This upload is completed: its file is in your library. Request another one."
        raise UploadCompleted(message, field=_ID)
    if upload.expires_at < now():
        raise UploadExpired("The time of this upload is over: request another one.", field=_ID)
    return upload


async def _checked(
    upload: Upload, chunks: AsyncIterator[bytes], sha256: bytes | None
) -> AsyncIterator[bytes]:
    digest, received = hashlib.sha256(), 0
    async for chunk in chunks:
        received += len(chunk)
        if received > upload.size_bytes:
            _require_size(upload, received)
        if sha256 is not None:
            digest.update(chunk)
        yield chunk
    _require_size(upload, received)
    if sha256 not in (None, digest.digest()):
        raise DigestMismatch("These are not the bytes of your digest: send them again.")


def _require_size(upload: Upload, received: int) -> None:
    if received != upload.size_bytes:
        more = "or more " if received > upload.size_bytes else ""
        raise SizeMismatch(
            f"{upload.size_bytes:,} bytes were announced, {received:,} {more}have arrived: send "
            "the whole file again, or request an upload of its size.",
            field=_ID,
        )
