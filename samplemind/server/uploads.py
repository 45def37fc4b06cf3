"""The bytes of an announced upload, by PUT; a bucket takes its own."""

import base64
import binascii
import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.uploads import receive_upload
from samplemind.domain.errors import (
    BadUserInput,
    DigestMismatch,
    DomainError,
    LinkExpired,
    LinkInvalid,
    SizeMismatch,
    UploadCompleted,
    UploadExpired,
    UploadNotFound,
)
from samplemind.links import LinkKind
from samplemind.parts import Parts
from samplemind.server.errors import RequestError
from samplemind.server.media_types import JSON

_STATUSES: dict[type[DomainError], int] = {
    BadUserInput: 400,
    SizeMismatch: 400,
    DigestMismatch: 400,
    LinkInvalid: 403,
    UploadExpired: 403,
    UploadNotFound: 404,
    UploadCompleted: 409,
}

# RFC 9530, and its predecessor RFC 3230 in which the value is bare.
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:?([A-Za-z0-9+/]+={0,2}):?\s*(?:,|$)", re.IGNORECASE)


async def _receive(request: Request) -> Response:
    parts: Parts = request.app.state.parts
    try:
        try:
            owner_id, id_ = parts.links.read(LinkKind.UPLOADS, request.path_params["token"])
        except LinkExpired:
            raise UploadExpired("This upload is over: request another one.") from None
        if "content-range" in request.headers:
            raise BadUserInput("Send the whole file at once: parts of it are not put together.")
        await receive_upload(parts, owner_id, id_, request.stream(), sha256=_sha256(request))
    except tuple(_STATUSES) as error:
        return RequestError(_STATUSES[type(error)], error.message, error.code).response(JSON)
    except ClientDisconnect:
        # Nobody reads this; what had arrived is gone.
        return Response(status_code=400)
    return Response(status_code=204)


def _sha256(request: Request) -> bytes | None:
    """What the sender says of its bytes. Raises BadUserInput where it cannot be read."""
    headers = request.headers
    given = headers.get("content-digest") or headers.get("repr-digest") or headers.get("digest")
    if not given or "sha-256=" not in given.lower():
        return None
    try:
        [digest] = _DIGEST.findall(given)
        decoded = base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error):
        decoded = b""
    if len(decoded) != 32:
        raise BadUserInput("The digest must be `sha-256=:BASE64:`, as RFC 9530 has it.")
    return decoded


route = Route(f"/{LinkKind.UPLOADS}/{{token}}", _receive, methods=["PUT"])
