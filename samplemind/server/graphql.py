"""GraphQL over HTTP and WebSocket."""

import re
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, FormData, StarletteRequestAdapter
from graphql import GraphQLError
from starlette.datastructures import FormData as Form
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from resolvers.scope import Scope as CallerScope
from samplemind.auth.callers import Caller
from samplemind.domain.errors import (
    Forbidden,
    PartUnavailable,
    RateLimited,
    TokenExpired,
    Unauthenticated,
)
from samplemind.server import explorer
from samplemind.server.authentication import caller_of
from samplemind.server.errors import RequestError, away
from samplemind.server.media_types import GRAPHQL_RESPONSE, JSON, accepted, answer_type, media_type
from samplemind.server.multipart import read_form, read_multipart
from samplemind.server.parameters import checked, read_json, read_url
from samplemind.server.persisted import PersistedDocuments
from samplemind.server.streaming import Results, StreamedResponse, results, transport_for
from samplemind.server.transports import may_stream
from samplemind.server.websocket import Connection, Opened
from samplemind.settings import Settings
from schema.errors import no_operation
from schema.limits import Limits
from schema.root import graphql_schema

PATH = "/graphql"

# What a request may hold besides files.
DOCUMENT_BYTES = 1024 * 1024

# A page of another site cannot send these without asking us first (a CORS preflight).
_PREFLIGHTED = ("apollo-require-preflight", "x-apollo-operation-name")

_STATUSES = {
    RateLimited.code: 429,
    Unauthenticated.code: 401,
    TokenExpired.code: 401,
    Forbidden.code: 403,
    PartUnavailable.code: 503,
}
_BEARER = {"www-authenticate": "Bearer"}

_CSRF = (
    "A form of another site could have sent this (CSRF): add the header "
    "`apollo-require-preflight: true` to {} requests."
)
_NO_QUERY = "The request has no `query`: send the text of a GraphQL document."
_SUBSCRIPTION = (
    "A subscription has many answers: accept text/event-stream or "
    "multipart/mixed;subscriptionSpec=1.0, or open a WebSocket (graphql-transport-ws) for it."
)


class _RequestAdapter(StarletteRequestAdapter):
    @property
    def persisted(self) -> PersistedDocuments:
        return self._request.app.state.persisted

    async def get_form_data(self) -> FormData:
        form = await read_form(self._request, DOCUMENT_BYTES)
        return FormData(files=form, form=form)


class GraphQLApp(GraphQL[CallerScope, None]):
    """The endpoint. The parts and the caller come from the application's state.

    Pages of `cors_origins` may open WebSockets, as pages of our own may.
    """

    request_adapter_class = _RequestAdapter

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            graphql_schema,
            multipart_uploads_enabled=True,
            allowed_origins=[*settings.cors_origins],
        )
        self._production = settings.production
        self._limits = Limits.of(settings)

    def is_valid(self, text: str) -> bool:
        """Whether a document can be executed, given variables that fit."""
        return not graphql_schema.documents.prepare(text, self._limits).errors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._converse(WebSocket(scope, receive, send))
            return
        limit = DOCUMENT_BYTES
        if media_type(Request(scope).headers.get("content-type"))[0].startswith("multipart/"):
            limit += scope["app"].state.parts.settings.max_upload_bytes
        request = Request(scope, _limited(receive, limit))
        try:
            response = await self._answer(request)
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            # Lets go of the files of a multipart request.
            await request.close()

    async def _converse(self, socket: WebSocket) -> None:
        if not self._check_websocket_origin(socket):
            await self.reject_websocket(socket)
            return

        async def open_(message: Mapping[str, Any]) -> Opened:
            context = _scope(socket, await caller_of(socket, message))
            if context.caller.refusal:
                raise context.caller.refusal

            async def execute(parameters: Mapping[str, Any]) -> Results:
                try:
                    query = await socket.app.state.persisted.text(parameters)
                except GraphQLError as error:
                    yield PreExecutionError(None, [error])
                    return
                told = results(self.schema, _request_data(query, parameters), context)
                async with aclosing(told):
                    async for result in told:
                        yield result

            return Opened(execute, context.parts.callers.over(context.caller))

        await Connection(socket, open_, self.encode_json).serve()

    async def execute_operation(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        request_data: GraphQLRequestData | list[GraphQLRequestData],
        context: CallerScope,
        root_value: None,
        sub_response: Response,
    ) -> Any:
        assert isinstance(request_data, GraphQLRequestData)  # noqa: S101 - there are no batches
        accept = request.headers.get("accept")
        if request_data.query and may_stream(accepted(accept)):
            document = graphql_schema.documents.prepare(request_data.query, self._limits).node
            allowed = OperationType.from_http(request_adapter.method)
            name = request_data.operation_name
            if transport := transport_for(document, name, accept, allowed):
                request.state.transport = transport(self.encode_json)
                request.state.over = context.parts.callers.over(context.caller)
                return results(self.schema, request_data, context)
        return await super().execute_operation(
            request, request_adapter, request_data, context, root_value, sub_response
        )

    async def _create_streaming_response(
        self, request: Request, result: Any, protocol: str, sub_response: Response
    ) -> Response:
        return StreamedResponse(result, request.state.transport, request.state.over)

    async def _answer(self, request: Request) -> Response:
        try:
            if request.method not in ("GET", "POST"):
                message = f"{request.method} does nothing here: use POST, or GET for queries."
                raise RequestError(405, message, headers={"Allow": "GET, POST"})
            response = await self.run(request)
        except RequestError as error:
            response = error.response(answer_type(request.headers.get("accept")) or JSON)
        except GraphQLError as error:
            answer: GraphQLHTTPResponse = {"errors": [error.formatted]}
            response = self.create_response(answer, await self.get_sub_response(request))
        response.headers.add_vary_header("Accept")
        return response

    async def get_context(self, request: Request, response: Response) -> CallerScope:  # pyright: ignore[reportIncompatibleMethodOverride]
        caller = await caller_of(request)
        kind = media_type(request.headers.get("content-type"))[0]
        if caller.user is None and kind.startswith("multipart/"):
            # Nobody's files are read to the end first.
            refusal = caller.refusal or Unauthenticated("Sign in first: see logIn.")
            if isinstance(refusal, PartUnavailable):
                raise away(refusal)
            raise RequestError(401, refusal.message, refusal.code, _BEARER)
        return _scope(request, caller)

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """For a browser that opens the address; others are told what is missing."""
        asked = {"query", "documentId", "extensions"}.intersection(request.query_params)
        return (
            request.method == "GET"
            and not self._production
            and not asked
            and "text/html" in request.headers.get("accept", "")
        )

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        accept = request.headers.get("accept")
        if answer_type(accept) is None and not may_stream(accepted(accept)):
            message = "The answer is application/graphql-response+json or application/json."
            raise RequestError(406, message)
        parameters = checked(await self._parameters(request))
        query = await cast("_RequestAdapter", request).persisted.text(parameters)
        return _request_data(query, parameters)

    async def _parameters(self, request: AsyncHTTPRequestAdapter) -> Any:
        if request.method == "GET":
            if self._production and not _is_preflighted(request):
                raise RequestError(403, _CSRF.format("GET"), "CSRF_PREVENTED")
            return read_url(request.query_params)
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise RequestError(415, "Send the body as it is, without a content encoding.")
        name, charset = media_type(request.content_type)
        if name == "application/json" and charset in ("utf-8", "utf8"):
            return read_json(await request.get_body())
        if name == "multipart/form-data":
            if not _is_preflighted(request):
                raise RequestError(403, _CSRF.format("multipart"), "CSRF_PREVENTED")
            return read_multipart(cast("Form", (await request.get_form_data()).form))
        message = (
            "Send JSON in UTF-8 (content-type: application/json), or files as multipart/form-data."
        )
        raise RequestError(415, message)

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: CallerScope,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        try:
            return await self.schema.execute(
                request_data.query,
                variable_values=request_data.variables,
                context_value=context,
                root_value=root_value,
                operation_name=request_data.operation_name,
                allowed_operation_types=OperationType.from_http(request_adapter.method),
                operation_extensions=request_data.extensions,
            )
        except MissingQueryError:
            raise RequestError(400, _NO_QUERY) from None
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                raise RequestError(400, _SUBSCRIPTION) from None
            raise RequestError(405, "A mutation needs POST.", headers={"Allow": "POST"}) from None
        except CannotGetOperationTypeError:
            return ExecutionResult(None, [no_operation(request_data.operation_name)])

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        response = await super().process_result(request, result)
        # A field's error has a path. Where none has one, nothing was executed.
        if result.data is None and not any(error.path for error in result.errors or ()):
            response.pop("data", None)
        return response

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.media_type = answer_type(request.headers.get("accept"))
        return response

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        media_type = sub_response.media_type or JSON
        if "data" not in response_data and media_type == GRAPHQL_RESPONSE:
            sub_response.status_code = _status(response_data)
        if _is_unavailable(response_data):
            # For proxies and clients that try again: nothing at all could be answered.
            sub_response.status_code = 503
        if sub_response.status_code == 401:
            sub_response.headers.update(_BEARER)
        if seconds := _retry_after(response_data):
            sub_response.headers["retry-after"] = str(seconds)
        response = super().create_response(response_data, sub_response)
        response.headers["content-type"] = media_type
        return response

    async def render_graphql_ide(self, request: Request) -> Response:
        headers = {"content-security-policy": explorer.CONTENT_SECURITY_POLICY}
        return HTMLResponse(explorer.page(PATH), headers=headers)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def encode_json(self, data: object) -> str:
        # Text, since the official WebSocket client does not take bytes.
        return orjson.dumps(data, default=_encode).decode()


def _is_preflighted(request: AsyncHTTPRequestAdapter) -> bool:
    return any(map(request.headers.get, _PREFLIGHTED))


def _scope(connection: Request | WebSocket, caller: Caller) -> CallerScope:
    return CallerScope(connection.app.state.parts, caller.user, _base_url(connection), caller)


def _base_url(request: Request | WebSocket) -> str:
    """Where the caller reaches us, over HTTP, without a slash at its end."""
    given = request.app.state.parts.settings.public_url
    # That of a WebSocket begins with ws.
    return (given or re.sub("^ws", "http", str(request.base_url))).rstrip("/")


def _encode(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _request_data(query: str | None, parameters: Mapping[str, Any]) -> GraphQLRequestData:
    return GraphQLRequestData(
        query=query,
        variables=parameters.get("variables"),
        operation_name=parameters.get("operationName") or None,
        extensions=parameters.get("extensions"),
    )


def _status(response: Any) -> int:
    """Of an answer whose operation was not executed."""
    codes = {error["extensions"]["code"] for error in response["errors"]}
    for code, status in _STATUSES.items():
        if code in codes:
            return status
    return 500 if "INTERNAL_SERVER_ERROR" in codes else 400


def _is_unavailable(response: Any) -> bool:
    if response.get("data") is not None:
        return False
    errors = response.get("errors") or ()
    return any(error["extensions"]["code"] == PartUnavailable.code for error in errors)


def _retry_after(response: Any) -> int | None:
    [error, *_] = response.get("errors") or [{}]
    return error.get("extensions", {}).get("retryAfter")


def _limited(receive: Receive, limit: int) -> Receive:
    """Ends a request whose body passes the limit, however it announced itself."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise RequestError(413, f"The request is larger than {limit:,} bytes.")
        return message

    return receive_limited
