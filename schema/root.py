"""The schema: everything put together."""

import strawberry
from graphql import GraphQLError, lexicographic_sort_schema, print_schema
from strawberry.types import ExecutionContext

import schema.enums  # noqa: F401 - describes the domain's enums before they are used
from schema.errors import OperationExtension
from schema.mutation import Mutation
from schema.query import Query
from schema.subscription import Subscription


class Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """OperationExtension logs what is unexpected; the rest is the client's affair."""


graphql_schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    extensions=[OperationExtension],
)


def sdl() -> str:
    """The schema definition, sorted, as schema.graphql holds it."""
    core = graphql_schema._schema
    return print_schema(lexicographic_sort_schema(core)) + "\n"
