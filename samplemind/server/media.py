"""Stored sounds by signed links, for whoever keeps them in a folder; a bucket serves its own."""

import asyncio
import os
import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from samplemind.domain.errors import LinkExpired, LinkInvalid, NotFound
from samplemind.links import LinkKind
from samplemind.parts import Parts
from samplemind.server.errors import RequestError
from samplemind.server.media_types import JSON

_CACHED_SECONDS = 3_600
# Several ranges at once, or another unit: a server may answer them with the whole.
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


async def _media(request: Request) -> Response:
    parts: Parts = request.app.state.parts
    try:
        owner_id, id_ = parts.links.read(LinkKind.MEDIA, request.path_params["token"])
    except (LinkInvalid, LinkExpired) as error:
        return RequestError(403, error.message, error.code).response(JSON)
    [file] = await parts.store.audio_files.by_ids(owner_id, [id_])
    path = file and parts.blobs.path(file.blob_key)
    found = path and await asyncio.to_thread(_stat, path)
    if not (file and path and found):
        return RequestError(404, "This file was deleted.", NotFound.code).response(JSON)
    etag = f'"{file.sha256}"'
    headers = {
        "etag": etag,
        "cache-control": f"private, max-age={_CACHED_SECONDS}",
        # What was uploaded is never taken for a page.
        "x-content-type-options": "nosniff",
    }
    known = request.headers.get("if-none-match", "")
    if known == "*" or etag in known:
        return Response(status_code=304, headers=headers)
    _leave_one_range(request)
    return FileResponse(
        path,
        headers=headers,
        media_type=file.facts.media_type,
        filename=file.filename,
        stat_result=found,
        content_disposition_type="inline",
    )


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _leave_one_range(request: Request) -> None:
    """Takes away a Range header that RFC 9110 has us ignore, or lets us."""
    found = _ONE_RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    low, high = found.groups() if found else ("", "")
    backwards = low and high and int(low) > int(high)
    if request.method != "GET" or not (low or high) or backwards:
        headers = request.scope["headers"]
        request.scope["headers"] = [header for header in headers if header[0] != b"range"]


route = Route(f"/{LinkKind.MEDIA}/{{token}}", _media, methods=["GET"])
