"""Documents that were seen before are neither parsed nor validated again."""

from collections import OrderedDict
from collections.abc import Iterator

from graphql import DocumentNode
from strawberry.extensions import SchemaExtension

# A parsed document takes some 50 times its text, so together they stay below 100 MB.
_MAX_TEXT, _MAX_TOTAL = 20_000, 2_000_000


class _Known:
    """Valid documents by their text, the least recently used dropped first."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        self._size = 0

    def get(self, text: str) -> DocumentNode | None:
        if text not in self._documents:
            return None
        self._documents.move_to_end(text)
        return self._documents[text]

    def put(self, text: str, document: DocumentNode | None) -> None:
        if document is None or len(text) > _MAX_TEXT or text in self._documents:
            return
        self._documents[text] = document
        self._size += len(text)
        while self._size > _MAX_TOTAL:
            dropped, _ = self._documents.popitem(last=False)
            self._size -= len(dropped)


class KnownDocuments(SchemaExtension):
    """Only what proved valid is kept: what is not is told anew, with errors of its own."""

    _known = _Known()
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
        if not self._is_known and not execution.pre_execution_errors and execution.query:
            self._known.put(execution.query, execution.graphql_document)
