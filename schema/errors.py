"""Errors as clients meet them: every one has `extensions.code`, and none tells of our insides."""

from collections.abc import AsyncIterator, Iterator

import structlog
from graphql import GraphQLError, GraphQLSyntaxError, SubsequentIncrementalExecutionResult
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types.execution import StreamExecutionResult

from samplemind.domain.errors import DomainError, PartUnavailable, RateLimited
from samplemind.domain.ids import new_id
from samplemind.outages import AWAY, RETRY_AFTER_SECONDS, unavailable

_log = structlog.get_logger(__name__)


class OperationExtension(SchemaExtension):
    """Around each operation: loaders of its own, and errors made fit for clients."""

    _executing = False

    def on_execute(self) -> Iterator[None]:
        self._executing = True
        yield

    async def on_operation(self) -> AsyncIterator[None]:
        execution = self.execution_context
        execution.context = execution.context.for_operation()
        yield
        errors = getattr(execution.result, "errors", None)
        if errors:
            execution.result.errors = [self._coded(error) for error in errors]  # pyright: ignore

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        if isinstance(result, SubsequentIncrementalExecutionResult):
            parts = [*(result.incremental or ()), *(result.completed or ())]
        else:
            parts = [result]
        for part in parts:
            if part.errors:
                part.errors = [self._coded(error) for error in part.errors]
        yield

    def _coded(self, error: GraphQLError) -> GraphQLError:
        if "code" in (error.extensions or {}):
            return error
        original = error.original_error
        if isinstance(original, AWAY):
            _log.warning("a part is away", path=error.path, error=str(original)[:200])
            original = unavailable()
        if isinstance(original, DomainError):
            extensions: dict[str, object] = {"code": original.code}
            if original.field:
                extensions["field"] = list(original.field)
            if isinstance(original, PartUnavailable):
                extensions["retryAfter"] = RETRY_AFTER_SECONDS
            return _with(error, original.message, extensions)
        if isinstance(error, GraphQLSyntaxError):
            return _with(error, error.message, {"code": "GRAPHQL_PARSE_FAILED"})
        if isinstance(original, MissingQueryError):
            return _with(error, "The request has no `query`.", {"code": "BAD_REQUEST"})
        if isinstance(original, CannotGetOperationTypeError):
            return no_operation(original.operation_name)
        if original is None or isinstance(original, GraphQLError):
            # Found by graphql-core itself: in the document, or in the variables' values.
            code = "BAD_USER_INPUT" if self._executing else "GRAPHQL_VALIDATION_FAILED"
            return _with(error, error.message, {"code": code})
        error_id = new_id()
        _log.error(
            "operation failed",
            error_id=error_id,
            operation=self.execution_context.operation_name,
            path=error.path,
            exc_info=original,
        )
        return _with(
            error,
            f"Something went wrong on our side. Its number is {error_id}.",
            {"code": "INTERNAL_SERVER_ERROR", "errorId": error_id},
        )


def no_operation(name: str | None) -> GraphQLError:
    """Of a document that has no operation of that name, or several where none is named."""
    message = (
        f"The document has no operation named {name!r}."
        if name
        else "The document has no single operation: name the one to run with `operationName`."
    )
    return GraphQLError(message, extensions={"code": "OPERATION_RESOLUTION_FAILURE"})


def refused(error: DomainError) -> GraphQLError:
    """An operation that does not run."""
    extensions: dict[str, object] = {"code": error.code}
    if isinstance(error, RateLimited):
        extensions["retryAfter"] = error.retry_after
    if isinstance(error, PartUnavailable):
        extensions["retryAfter"] = RETRY_AFTER_SECONDS
    return GraphQLError(error.message, extensions=extensions)


def _with(error: GraphQLError, message: str, extensions: dict[str, object]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )
