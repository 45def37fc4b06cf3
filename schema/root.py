"""The schema: everything put together."""

from collections.abc import Iterable
from copy import copy
from functools import cached_property
from typing import Any

import strawberry
from graphql import GraphQLError, lexicographic_sort_schema
from strawberry.exceptions import MissingQueryError
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.printer import print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

import schema.enums  # noqa: F401 - describes the domain's enums before they are used
from resolvers.permissions import require
from resolvers.rate_limit import spend
from resolvers.scope import Scope
from samplemind.domain.errors import DomainError
from samplemind.metrics import OTHER
from schema.defer import DeferExtension
from schema.documents import Document, Documents
from schema.errors import OperationExtension, no_operation, refused
from schema.execution import Executor
from schema.limits import Limits, too_expensive
from schema.mutation import Mutation
from schema.query import Query
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    async def execute(
        self,
        *args: Any,
        allowed_operation_types: Iterable[OperationType] | None = None,
        **kwargs: Any,
    ) -> ExecutionResult:
        """One answer to one operation, which a subscription is not: `subscribe` is for those."""
        allowed = {*(allowed_operation_types or OperationType)} - {OperationType.SUBSCRIPTION}
        return await super().execute(*args, allowed_operation_types=allowed, **kwargs)

    @cached_property
    def documents(self) -> Documents:
        return Documents(self._schema)

    async def _prepare_operation_async(
        self, context: ExecutionContext, extensions_runner: SchemaExtensionsRunner
    ) -> PreExecutionError | None:
        """Everything before execution: an operation runs when it is valid, within the limits, and
        its points are paid. In place of Strawberry's own, which parses and validates each time."""
        if not context.query:
            raise MissingQueryError
        scope: Scope = context.context
        limits = Limits.of(scope.parts.settings)
        document = self.documents.prepare(context.query, limits)
        context.graphql_document = document.node
        scope.operation = _called(document, context, scope)
        if document.node:
            self._check_operation_type(context)
            scope.is_subscription = context.operation_type is OperationType.SUBSCRIPTION
        if document.errors:
            return await _refusal(scope, document.errors)
        if len(document.prices) > 1 and context._provided_operation_name is None:
            # Strawberry would take the first.
            return await _refusal(scope, [no_operation(None)])
        cost = document.prices[context.operation_name].of(context.variables)
        context.extensions_results["cost"] = {"requested": cost, "limit": limits.cost}
        if cost > limits.cost:
            return await _refusal(scope, [too_expensive(cost, limits.cost)])
        scope.cost = cost
        try:
            # Paid before it is refused: who may do nothing may not ask for ever, either.
            await spend(scope, cost)
            root = context.operation_type.name.capitalize()
            require(scope, root, document.roots[context.operation_name])
        except DomainError as error:
            return PreExecutionError(data=None, errors=[refused(error)])
        return None

    def _check_operation_type(self, context: ExecutionContext) -> None:
        try:
            type_ = context.operation_type
        except RuntimeError as error:
            raise CannotGetOperationTypeError(context.operation_name) from error
        if type_ not in context.allowed_operations:
            raise InvalidOperationTypeError(type_)

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """OperationExtension logs what is unexpected; the rest is the client's affair."""


def _called(document: Document, context: ExecutionContext, scope: Scope) -> str:
    """The name of an operation that may be told: strangers must not make names without end. So it
    is the client's own where documents are trusted, else its field of the root if it has one."""
    if document.errors or context.operation_name not in document.roots:
        return OTHER
    if context.operation_name and scope.parts.settings.trusted_documents:
        return context.operation_name
    [field, *others] = document.roots[context.operation_name]
    return OTHER if others else field


async def _refusal(scope: Scope, errors: list[GraphQLError]) -> PreExecutionError:
    """Of what does not run. It counts as a request of one point: reading it took time as well."""
    try:
        await spend(scope, 1)
    except DomainError as error:
        errors = [refused(error)]
    return PreExecutionError(data=None, errors=errors)


graphql_schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[OperationExtension, DeferExtension],
    execution_context_class=Executor,
    config=StrawberryConfig(enable_experimental_incremental_execution=True),
)

# Comes with @defer. Our lists are pages, which are read whole.
graphql_schema._schema.directives = tuple(
    directive for directive in graphql_schema._schema.directives if directive.name != "stream"
)

# Strawberry checks a oneOf input itself and leaves graphql-core, which tells clients, unaware.
graphql_schema._schema.type_map["SimilarityTarget"].is_one_of = True  # pyright: ignore


def sdl() -> str:
    """The schema definition, sorted, as schema.graphql holds it."""
    ordered = copy(graphql_schema)
    ordered._schema = lexicographic_sort_schema(graphql_schema._schema)
    return print_schema(ordered) + "\n"
