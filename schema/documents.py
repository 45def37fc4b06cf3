"""Documents that were seen before are neither parsed nor validated again."""

from collections.abc import Iterator

from cachetools import LRUCache
from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

# Of text. A parsed document takes some 50 times as much, so together they stay below 100 MB.
_MAX_CHARACTERS, _MAX_TOTAL = 20_000, 2_000_000


def _length(document: DocumentNode) -> int:
    return document.loc.end if document.loc else _MAX_CHARACTERS


class KnownDocuments(SchemaExtension):
    """Only what proved valid is kept: what is not is told anew, with errors of its own."""

    _known: LRUCache[str, DocumentNode] = LRUCache(_MAX_TOTAL, getsizeof=_length)
    _is_known = False

    def on_parse(self) -> Iterator[None]:
        execution = self.execution_context
        if execution.graphql_document is None:
            execution.graphql_document = self._known.get(execution.query or "")
            self._is_known = execution.graphql_document is not None
        yield

    def on_validate(self) -> Iterator[None]:
        execution = self.execution_context
        if self._is_known:
            execution.pre_execution_errors = []
        yield
        text, document = execution.query, execution.graphql_document
        is_new = not self._is_known and not execution.pre_execution_errors
        if is_new and text and document and len(text) <= _MAX_CHARACTERS:
            self._known[text] = document
