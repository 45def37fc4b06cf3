"""The schema: everything put together."""

from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import GraphQLError, lexicographic_sort_schema, print_schema
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

import schema.enums  # noqa: F401 - describes the domain's enums before they are used
from schema.documents import KnownDocuments
from schema.errors import OperationExtension
from schema.execution import Executor
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

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """OperationExtension logs what is unexpected; the rest is the client's affair."""


graphql_schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[OperationExtension, KnownDocuments],
    execution_context_class=Executor,
)

# Strawberry checks a oneOf input itself and leaves graphql-core, which tells clients, unaware.
graphql_schema._schema.type_map["SimilarityTarget"].is_one_of = True  # pyright: ignore


def sdl() -> str:
    """The schema definition, sorted, as schema.graphql holds it."""
    core = graphql_schema._schema
    return print_schema(lexicographic_sort_schema(core)) + "\n"
