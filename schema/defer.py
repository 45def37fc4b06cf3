"""`@defer`: an answer in parts for whoever takes it so, and at once for everybody else."""

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from graphql import REMOVE, DirectiveNode, DocumentNode, Visitor, visit
from strawberry.extensions import SchemaExtension

# Set by the transports that can send an answer in parts.
in_parts: ContextVar[bool] = ContextVar("in_parts", default=False)


def defers(document: DocumentNode) -> bool:
    return _at_once(document) is not document


class DeferExtension(SchemaExtension):
    """Leaves `@defer` out of what is executed where the answer must be one piece."""

    def on_execute(self) -> Iterator[None]:
        document = self.execution_context.graphql_document
        if document and not in_parts.get() and _may_defer(document):
            self.execution_context.graphql_document = _at_once(document)
        yield


def _may_defer(document: DocumentNode) -> bool:
    return document.loc is None or "defer" in document.loc.source.body


def _at_once(document: DocumentNode) -> DocumentNode:
    return visit(document, _WithoutDefer())


class _WithoutDefer(Visitor):
    def enter_directive(self, node: DirectiveNode, *_: Any) -> Any:
        return REMOVE if node.name.value == "defer" else None
