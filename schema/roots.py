"""Which fields of the root an operation may ask for."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


def root_fields(document: DocumentNode, operation: OperationDefinitionNode) -> frozenset[str]:
    """The names, of a valid document. What @skip or @include may leave out is among them."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    seen = set[str]()

    def names(selection_set: SelectionSetNode) -> Iterator[str]:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif not isinstance(selection, FragmentSpreadNode):
                yield from names(selection.selection_set)  # pyright: ignore
            elif (name := selection.name.value) not in seen:
                seen.add(name)
                yield from names(fragments[name].selection_set)

    return frozenset(names(operation.selection_set))
