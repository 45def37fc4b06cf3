"""What an operation costs, in points, worked out before it runs.

An object is a point, so is the root; a list multiplies by its size; a field that works harder adds
its `@cost`. What the answer may hold is counted as execution would collect it: a field that several
fragments select counts once, and what `@skip` or `@include` leaves out counts nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from graphql import (
    GRAPHQL_MAX_INT,
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from schema.directives import Cost, ListSize
from schema.paging import MAX_SIZE

Value = int | bool | None
Sizes = Mapping[str, int]


class Price:
    """What one operation of a valid document costs. Answers are kept, since clients send the same
    document with the same sizes again and again."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._defaults = {
            definition.variable.name.value: _literal(definition.default_value)
            for definition in operation.variable_definitions or ()
        }
        self._reckoned = lru_cache(maxsize=64)(self._reckon)

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """In points. A variable that is no number where one belongs counts as not given."""
        given = variables or {}
        return self._reckoned(
            *(
                _plain(given[name]) if name in given else default
                for name, default in self._defaults.items()
            )
        )

    def _reckon(self, *values: Value) -> int:
        root = cast("GraphQLObjectType", self._schema.get_root_type(self._operation.operation))
        named = dict(zip(self._defaults, values, strict=True))
        reckoning = _Reckoning(self._schema, self._fragments, named)
        return min(1 + reckoning.inside(root, [self._operation.selection_set], {}), GRAPHQL_MAX_INT)


@dataclass(frozen=True, slots=True)
class _Reckoning:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    values: Mapping[str, Value]

    def inside(
        self, parent: GraphQLNamedType, selection_sets: Iterable[SelectionSetNode], sizes: Sizes
    ) -> int:
        """What an object's fields cost. `sizes` are those of its lists that are known above."""
        if is_abstract_type(parent):
            # It is one of these: the dearest is the most that it can be.
            possible = self.schema.get_possible_types(parent)
            return max(self.inside(type_, selection_sets, sizes) for type_ in possible)
        object_type, fields = cast("GraphQLObjectType", parent), dict[str, list[FieldNode]]()
        self._collect(object_type, selection_sets, fields, set())
        return sum(
            self._field(object_type.fields[name], nodes, sizes.get(name))
            for nodes in fields.values()
            if not (name := nodes[0].name.value).startswith("__")
        )

    def _field(self, field: GraphQLField, nodes: list[FieldNode], size: int | None) -> int:
        rule, sizes = _rule(field), dict[str, int]()
        if not rule.returns_objects:
            return rule.weight
        if rule.list_size:
            asked = self._asked(rule.list_size, nodes[0])
            if rule.list_size.sized_fields:
                sizes = dict.fromkeys(rule.list_size.sized_fields, asked)
            else:
                size = asked
        inner = [node.selection_set for node in nodes if node.selection_set]
        of_one = 1 + self.inside(get_named_type(field.type), inner, sizes)
        return rule.weight + (1 if size is None else size) * of_one

    def _asked(self, list_size: ListSize, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in (list_size.slicing_arguments or ()):
                size = self._value(argument.value)
                if size is not None:
                    return max(size, 0)
        return list_size.assumed_size or 1

    def _collect(
        self,
        parent: GraphQLObjectType,
        selection_sets: Iterable[SelectionSetNode],
        fields: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        for selection_set in selection_sets:
            for selection in selection_set.selections:
                if not self._included(selection):
                    continue
                if isinstance(selection, FieldNode):
                    name = (selection.alias or selection.name).value
                    fields.setdefault(name, []).append(selection)
                    continue
                fragment: Any = selection
                if isinstance(selection, FragmentSpreadNode):
                    if selection.name.value in seen:
                        continue
                    seen.add(selection.name.value)
                    fragment = self.fragments[selection.name.value]
                if self._applies(fragment, parent):
                    self._collect(parent, [fragment.selection_set], fields, seen)

    def _applies(self, fragment: Any, parent: GraphQLObjectType) -> bool:
        if fragment.type_condition is None or fragment.type_condition.name.value == parent.name:
            return True
        condition = self.schema.type_map[fragment.type_condition.name.value]
        return is_abstract_type(condition) and self.schema.is_sub_type(condition, parent)

    def _included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            name = directive.name.value
            if name in ("skip", "include") and directive.arguments:
                value = self._value(directive.arguments[0].value)
                if value is (name == "skip"):
                    return False
        return True

    def _value(self, node: ValueNode) -> Value:
        if isinstance(node, VariableNode):
            return self.values.get(node.name.value)
        return _literal(node)


def _literal(node: ValueNode | None) -> Value:
    if isinstance(node, BooleanValueNode):
        return node.value
    if isinstance(node, IntValueNode):
        return _plain(int(node.value))
    if isinstance(node, ListValueNode):
        return len(node.values)
    return None


def _plain(value: Any) -> Value:
    """What matters of a value: a flag, a size as the server caps it, how long a list is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return min(value, MAX_SIZE)
    return len(value) if isinstance(value, list) else None


@dataclass(frozen=True, slots=True)
class _Rule:
    weight: int
    returns_objects: bool
    list_size: ListSize | None


_RULE = "samplemind-cost"


def _rule(field: GraphQLField) -> _Rule:
    """What the schema says about a field, read once."""
    if _RULE not in field.extensions:
        definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        directives = getattr(definition, "directives", ())
        field.extensions[_RULE] = _Rule(
            weight=sum(int(each.weight) for each in directives if isinstance(each, Cost)),
            returns_objects=is_composite_type(get_named_type(field.type)),
            list_size=next((each for each in directives if isinstance(each, ListSize)), None),
        )
    return field.extensions[_RULE]
