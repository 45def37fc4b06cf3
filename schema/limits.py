"""How large an operation may be, whatever it asks for: checked before anything is looked up.

A fragment is measured once, however often it is spread, so that a check takes no longer than the
document is long. Everything here holds for documents that are wrong in other ways, too.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from graphql import (
    GRAPHQL_MAX_INT,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from samplemind.settings import Settings

# No client is known that comes near these, so they are no settings.
MAX_FRAGMENTS = 200
MAX_FIELDS = 5_000
MAX_REPEATS = 20
MAX_DIRECTIVES = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows."""

    tokens: int
    depth: int
    aliases: int
    root_fields: int
    cost: int
    tells_schema: bool

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            tokens=settings.max_tokens,
            depth=settings.max_depth,
            aliases=settings.max_aliases,
            root_fields=settings.max_root_fields,
            cost=settings.max_cost,
            tells_schema=not settings.production,
        )


def too_expensive(cost: int, limit: int) -> GraphQLError:
    message = (
        f"The operation costs {cost:,} points: {limit:,} are the most. Ask for smaller pages, or "
        "for fewer fields that multiply."
    )
    return _refusal("OPERATION_TOO_EXPENSIVE", message, cost, limit, None)


def _refusal(code: str, message: str, actual: int, limit: int, node: Node | None) -> GraphQLError:
    """An error that says the figure and its limit, for people and for programs."""
    extensions = {"code": code, "limit": limit, "actual": min(actual, GRAPHQL_MAX_INT)}
    return GraphQLError(message, nodes=[node] if node else None, extensions=extensions)


def passed_limit(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """The first limit that a document passes."""
    try:
        return next(_passed_limits(document, limits), None)
    except RecursionError:
        # Whatever the limit is: by fragments, an operation may be as deep as it is long.
        message = f"The operation is deeper than can be measured: {limits.depth:,} are the most."
        extensions = {"code": "OPERATION_TOO_DEEP", "limit": limits.depth}
        return GraphQLError(message, extensions=extensions)


@dataclass(frozen=True, slots=True)
class _Size:
    """Of a selection set with its fragments spread."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    root_fields: int = 0

    def __add__(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.root_fields + other.root_fields,
        )


_NOTHING = _Size()


def _passed_limits(document: DocumentNode, limits: Limits) -> Iterator[GraphQLError]:
    measure = _Measure(document)
    if (count := len(measure.fragments)) > MAX_FRAGMENTS:
        message = f"The document defines {count} fragments: {MAX_FRAGMENTS} are the most."
        yield _refusal("TOO_MANY_FRAGMENTS", message, count, MAX_FRAGMENTS, None)
    for definition in document.definitions:
        if not isinstance(definition, OperationDefinitionNode):
            continue
        size = measure.of(definition.selection_set)
        for code, actual, limit, what in (
            ("OPERATION_TOO_DEEP", size.depth, limits.depth, "is {} fields deep"),
            ("TOO_MANY_ROOT_FIELDS", size.root_fields, limits.root_fields, "has {} root fields"),
            ("TOO_MANY_ALIASES", size.aliases, limits.aliases, "uses {} aliases"),
            ("TOO_MANY_FIELDS", size.fields, MAX_FIELDS, "selects {} fields, fragments spread"),
        ):
            if actual > limit:
                message = f"The operation {what.format(f'{actual:,}')}: {limit:,} are the most."
                yield _refusal(code, message, actual, limit, definition)
    yield from measure.refusals


class _Measure:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.refusals: list[GraphQLError] = []
        self._sizes: dict[str, _Size] = {}
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
                self._check_directives(definition)

    def of(self, selection_set: SelectionSetNode) -> _Size:
        size, names = _NOTHING, Counter[str]()
        for selection in selection_set.selections:
            self._check_directives(selection)
            if isinstance(selection, FieldNode):
                names[(selection.alias or selection.name).value] += 1
            size += self._of_selection(selection)
        if names and (repeats := max(names.values())) > MAX_REPEATS:
            message = (
                f"A field is selected {repeats} times in one place: {MAX_REPEATS} is the most."
            )
            self.refusals.append(
                _refusal("TOO_MANY_FIELDS", message, repeats, MAX_REPEATS, selection_set)
            )
        return size

    def _of_selection(self, selection: SelectionNode) -> _Size:
        if isinstance(selection, FragmentSpreadNode):
            return self._of_fragment(selection.name.value)
        inner = getattr(selection, "selection_set", None)
        size = self.of(inner) if inner else _NOTHING
        if not isinstance(selection, FieldNode):
            return size
        return _Size(
            depth=size.depth + 1,
            fields=size.fields + 1,
            aliases=size.aliases + (selection.alias is not None),
            root_fields=1,
        )

    def _of_fragment(self, name: str) -> _Size:
        if name not in self._sizes:
            # What spreads itself adds nothing here: validation refuses it.
            self._sizes[name] = _NOTHING
            if fragment := self.fragments.get(name):
                self._sizes[name] = self.of(fragment.selection_set)
        return self._sizes[name]

    def _check_directives(
        self, node: SelectionNode | OperationDefinitionNode | FragmentDefinitionNode
    ) -> None:
        if (count := len(node.directives or ())) > MAX_DIRECTIVES:
            message = f"One place has {count} directives: {MAX_DIRECTIVES} are the most."
            self.refusals.append(
                _refusal("TOO_MANY_DIRECTIVES", message, count, MAX_DIRECTIVES, node)
            )
