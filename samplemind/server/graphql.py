"""GraphQL over HTTP and WebSocket."""

from typing import Any
from urllib.parse import urlsplit

import orjson
from cross_web import AsyncHTTPRequestAdapter, FormData, HTTPException, StarletteRequestAdapter
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData

from resolvers.scope import Scope as CallerScope
from samplemind.domain.errors import FileTooLarge
from samplemind.server import explorer
from samplemind.server.multipart import read_multipart
from schema.root import graphql_schema

PATH = "/graphql"

# What a request may hold besides files.
_DOCUMENT_BYTES = 1024 * 1024

# A page of another site cannot send these without asking us first (a CORS preflight).
_PREFLIGHTED = ("apollo-require-preflight", "x-apollo-operation-name", "x-requested-with")


class _RequestAdapter(StarletteRequestAdapter):
    async def get_form_data(self) -> FormData:
        form = await self._request.form(max_part_size=_DOCUMENT_BYTES)
        return FormData(files=form, form=form)


class GraphQLApp(GraphQL[CallerScope, None]):
    """The endpoint. The parts and the caller come from the application's state."""

    request_adapter_class = _RequestAdapter

    def __init__(self) -> None:
        super().__init__(graphql_schema, multipart_uploads_enabled=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        limit = _DOCUMENT_BYTES
        if request.headers.get("content-type", "").startswith("multipart/"):
            limit += scope["app"].state.parts.settings.max_upload_bytes
        request = Request(scope, _limited(receive, limit))
        try:
            response = await self.run(request)
        except HTTPException as error:
            response = _refusal(error.status_code, error.reason)
        except StarletteHTTPException as error:
            response = _refusal(error.status_code, error.detail)
        finally:
            # Lets go of the files of a multipart request.
            await request.close()
        await response(scope, receive, send)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> CallerScope:
        state = request.app.state
        return CallerScope(parts=state.parts, viewer=state.local_user)

    async def parse_multipart(self, request: AsyncHTTPRequestAdapter) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        origin = urlsplit(headers.get("origin", ""))
        foreign = bool(origin.netloc) and origin.netloc != headers.get("host")
        if (foreign or origin.path == "null") and not any(map(headers.get, _PREFLIGHTED)):
            message = "Send the header `apollo-require-preflight: true` with uploads from a page."
            raise HTTPException(403, message)
        return read_multipart((await request.get_form_data()).form)

    @property
    def graphql_ide_html(self) -> str:
        return explorer.page(PATH)

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        try:
            return await super().parse_http_body(request)
        except AttributeError:
            # What it does with null, a number or a string.
            raise HTTPException(400, "The request must be a JSON object with a query.") from None

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        # Text, since the official WebSocket client does not take bytes.
        return orjson.dumps(data, default=_encode).decode()


def _encode(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _refusal(status: int, message: str) -> Response:
    code = FileTooLarge.code if status == 413 else "BAD_REQUEST"
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return Response(orjson.dumps(body), status, media_type="application/json")


def _limited(receive: Receive, limit: int) -> Receive:
    """Ends a request whose body passes the limit, however it announced itself."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise StarletteHTTPException(413, f"The request is larger than {limit:,} bytes.")
        return message

    return receive_limited
