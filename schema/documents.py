"""The text of an operation, made ready once: parsed, held to the limits, validated, priced."""

from dataclasses import dataclass, field

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.cost import Price
from schema.limits import Limits, passed_limit
from schema.roots import root_fields

# Of text. A parsed document takes some 50 times as much, and 300 times at worst, so together they
# stay below 150 MB.
_MAX_CHARACTERS, _MAX_TOTAL = 20_000, 500_000


@dataclass(frozen=True, slots=True)
class Document:
    """What has errors must not be executed; `node` is None where the text is no GraphQL.

    `prices` has the operations by name, `roots` the fields of the root that each may ask for.
    """

    node: DocumentNode | None
    errors: list[GraphQLError] = field(default_factory=list)
    prices: dict[str | None, Price] = field(default_factory=dict)
    roots: dict[str | None, frozenset[str]] = field(default_factory=dict)


class Documents:
    """Keeps what was made ready lately, so that each text is parsed and validated once.

    Valid ones only: nonsense pushes nobody's operations out.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._ready: LRUCache[tuple[str, Limits], Document] = LRUCache(_MAX_TOTAL, getsizeof=_size)

    def prepare(self, text: str, limits: Limits) -> Document:
        key = (text, limits)
        document = self._ready.get(key)
        if document is None:
            document = _prepare(self._schema, text, limits)
            if not document.errors and len(text) <= _MAX_CHARACTERS:
                self._ready[key] = document
        return document


def _size(document: Document) -> int:
    return document.node.loc.end if document.node and document.node.loc else _MAX_CHARACTERS


def _prepare(schema: GraphQLSchema, text: str, limits: Limits) -> Document:
    most = limits.tokens
    try:
        node = parse(text, max_lexical_tokens=most, max_comments=most)
    except GraphQLSyntaxError as error:
        if f"more than {most} " in error.message:
            # Reading ends there, so nobody knows how long it is.
            extensions = {"code": "OPERATION_TOO_LONG", "limit": most}
            message = f"The document has more than {most:,} words and signs."
            return Document(None, [GraphQLError(message, extensions=extensions)])
        return Document(None, [error])
    passed = passed_limit(node, limits)
    errors = [passed] if passed else _validate(schema, node, limits)
    if errors:
        return Document(node, errors)
    operations = {
        operation.name and operation.name.value: operation
        for operation in node.definitions
        if isinstance(operation, OperationDefinitionNode)
    }
    return Document(
        node,
        prices={name: Price(schema, node, each) for name, each in operations.items()},
        roots={name: root_fields(node, each) for name, each in operations.items()},
    )


def _validate(schema: GraphQLSchema, node: DocumentNode, limits: Limits) -> list[GraphQLError]:
    rules = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
    if limits.tells_schema:
        return validate(schema, node, rules)
    rules = (*rules, NoSchemaIntrospectionCustomRule)
    return validate(schema, node, rules, hide_suggestions=True)
