"""Executing operations fast: what is only read from objects is read by code made for the selection.

graphql-core walks to every field of every object with a resolver call, a path and an info. Most
fields of ours have no resolver: they are attributes that become JSON. For a selection set, all
such fields, with the objects and lists under them, are read by one function compiled for that
shape, as graphql-jit does for JavaScript. Relations (schema/relation.py) met on the way are
gathered and asked once for all objects of the tree. All else goes graphql-core's own way: fields
with other resolvers, deferred fragments, abstract types, and whatever holds a value that is not
plainly what the schema promises, so that errors are the same to the letter.
"""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLString,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path, Undefined, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

from resolvers.scope import Scope
from schema.relation import Many, many_of

# How a value is completed, in a form that can be compared: ("required", value), ("list", value),
# ("leaf", type) or ("object", (class that it must have or None, fields)). A field is its response
# name and one of: a constant; ("attribute", name, value); ("relation", Many, value); None, left to
# graphql-core.
_Value = tuple[str, Any]


class _Relation(NamedTuple):
    name: str
    many: Many
    value: "_Compiled"


class _Compiled(NamedTuple):
    """`read(value, pending)` gives the value's part of the answer. Where a relation has to be
    asked, it appends the object and its part to the relation's list in `pending`."""

    read: Callable[[Any, list[list[Any]]], Any]
    relations: tuple[_Relation, ...]

    def pending(self) -> list[list[Any]]:
        return [[] for _ in self.relations]


class _Plan(NamedTuple):
    """`left` are the fields for graphql-core; the compiled part holds None in their place."""

    compiled: _Compiled
    left: tuple[tuple[str, FieldDetailsList], ...]


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor with a short way through what is only read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By the identity of what graphql-core has collected, and with it: while it is kept, nothing
        # else has that identity.
        self._plans: dict[int, tuple[GroupedFieldSet, _Plan | None]] = {}
        self._lists: dict[tuple[int, int], tuple[FieldDetailsList, _Compiled | None]] = {}

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> Any:
        def ordinarily() -> Any:
            return super(Executor, self).execute_fields(
                parent_type, source_value, path, grouped_field_set, position_context
            )

        plan = self._plan(parent_type, grouped_field_set) if position_context is None else None
        if plan is None:
            return ordinarily()
        pending = plan.compiled.pending()
        try:
            results = plan.compiled.read(source_value, pending)
        except Exception:  # what is odd, and where, the ordinary way says
            return ordinarily()
        waiting = self._execute_left(parent_type, source_value, path, plan.left, results)
        filled = self._filled(plan.compiled, pending, results, ordinarily)
        if not waiting:
            return filled

        async def wait() -> Any:
            awaited = [results[name] for name in waiting]
            if filled is results:
                found = await gather_with_cancel(*awaited)
            else:
                *found, whole = await gather_with_cancel(*awaited, filled)
                if whole is not results:
                    return whole
            results.update(zip(waiting, found, strict=True))
            return results

        return wait()

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        def ordinarily() -> Any:
            return super(Executor, self).complete_list_value(
                return_type, field_details_list, info, path, result, position_context
            )

        key = id(field_details_list), id(return_type)
        if key not in self._lists:
            value = self._value(return_type, field_details_list)
            self._lists[key] = field_details_list, value and _compiled(value)
        compiled = self._lists[key][1]
        if compiled is None or position_context is not None:
            return ordinarily()
        pending = compiled.pending()
        try:
            results = compiled.read(result, pending)
        except Exception:
            return ordinarily()
        return self._filled(compiled, pending, results, ordinarily)

    def _filled(
        self,
        compiled: _Compiled,
        pending: list[list[Any]],
        results: Any,
        ordinarily: Callable[[], Any],
    ) -> Any:
        """The results, or what gives them when all that is pending has been asked."""
        if not any(pending):
            return results

        async def fill() -> Any:
            try:
                await _fill(compiled, pending, self.context_value)
            except Exception:
                found = ordinarily()
                return await found if self.is_awaitable(found) else found
            return results

        return fill()

    def _execute_left(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        path: Path | None,
        left: tuple[tuple[str, FieldDetailsList], ...],
        results: dict[str, Any],
    ) -> list[str]:
        """Executes the fields as graphql-core does; answers which of them are to be awaited."""
        waiting: list[str] = []
        try:
            for name, details in left:
                here = Path(path, name, parent_type.name)
                result = self.execute_field(parent_type, source, details, here, None)
                if result is Undefined:
                    del results[name]
                    continue
                results[name] = result
                if self.is_awaitable(result):
                    waiting.append(name)
        except Exception:
            self.settle_in_background([results[name] for name in waiting])
            raise
        return waiting

    def _plan(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> _Plan | None:
        """None where nothing is to be gained."""
        key = id(fields)
        if key not in self._plans:
            value, left = self._object(parent_type, fields)
            gains = len(left) < len(fields)
            # Where there is no object, as behind the root, there is nothing to read.
            plan = _Plan(_compiled(("required", value)), left) if gains else None
            self._plans[key] = fields, plan
        return self._plans[key][1]

    def _object(
        self, type_: GraphQLObjectType, fields: GroupedFieldSet
    ) -> tuple[_Value, tuple[tuple[str, FieldDetailsList], ...]]:
        ways = tuple((name, self._field(type_, details)) for name, details in fields.items())
        left = tuple((name, fields[name]) for name, way in ways if way is None)
        return ("object", (_checked_class(type_), ways)), left

    def _field(self, parent_type: GraphQLObjectType, details: FieldDetailsList) -> Any:
        way = _way(self.schema, parent_type, details[0].node.name.value)
        if way is None or isinstance(way, str):
            return way
        sort, source, type_ = way
        value = self._value(type_, details)
        return value and (sort, source, value)

    def _value(self, type_: GraphQLOutputType, details: FieldDetailsList) -> _Value | None:
        """None where something under it is left to graphql-core."""
        if isinstance(type_, GraphQLNonNull | GraphQLList):
            inner = self._value(type_.of_type, details)
            sort = "required" if isinstance(type_, GraphQLNonNull) else "list"
            return inner and (sort, inner)
        if is_leaf_type(type_):
            return "leaf", type_
        if not isinstance(type_, GraphQLObjectType):
            return None
        fields, deferred, _ = self.collect_subfields(type_, details)
        value, left = self._object(type_, fields)
        return None if left or deferred else value


async def _fill(compiled: _Compiled, pending: list[list[Any]], scope: Scope) -> None:
    """Asks the relations, each once for all its objects, and puts in their parts what they say."""
    asked = [
        _ask(relation, rows, scope)
        for relation, rows in zip(compiled.relations, pending, strict=True)
        if rows
    ]
    if len(asked) == 1:
        await asked[0]
    elif asked:
        await asyncio.gather(*asked)


async def _ask(relation: _Relation, rows: list[Any], scope: Scope) -> None:
    values = await relation.many([source for source, _ in rows], scope)
    pending = relation.value.pending()
    for (_, part), value in zip(rows, values, strict=True):
        part[relation.name] = relation.value.read(value, pending)
    await _fill(relation.value, pending, scope)


@lru_cache(maxsize=4096)
def _way(schema: GraphQLSchema, parent_type: GraphQLObjectType, name: str) -> Any:
    """How a field is read: a constant, ("attribute", name, type) or ("relation", Many, type)."""
    field = schema.get_field(parent_type, name)
    if name == "__typename":
        return parent_type.name
    known = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if field is None or known is None or field.args:
        return None
    if many := many_of(known):
        return "relation", many, field.type
    return ("attribute", known.python_name, field.type) if known.is_basic_field else None


@lru_cache(maxsize=256)
def _checked_class(type_: GraphQLObjectType) -> type | None:
    """What graphql-core would ask `is_type_of`, where it would."""
    if type_.is_type_of is None:
        return None
    return type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].origin


@lru_cache(maxsize=512)
def _compiled(value: _Value) -> _Compiled:
    """Compiles how `value` is completed. The function raises where it is not plainly so."""
    source = _Source()
    expression = source.complete(value, "o", 0)
    source.lines.append(f"def read(o, p): return {expression}")
    exec("\n".join(source.lines), source.names)  # noqa: S102 - made of our own schema's names
    return _Compiled(source.names["read"], tuple(source.relations))


class _Source:
    """Python source for completing values: `o` is an object, `p` what is pending."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.relations: list[_Relation] = []
        self.names: dict[str, Any] = {
            "odd": _odd,
            "listed": _listed,
            "isfinite": math.isfinite,
            "datetime": datetime,
        }

    def complete(self, value: _Value, of: str, depth: int) -> str:
        """An expression for the value of the expression `of`. `depth` keeps names apart."""
        sort, inner = value
        if sort == "required":
            return self._some(inner, of, depth)
        v = f"v{depth}"
        return f"(None if ({v} := {of}) is None else {self._some(value, v, depth + 1)})"

    def _some(self, value: _Value, of: str, depth: int) -> str:
        """The same where null is not allowed."""
        sort, inner = value
        if sort == "leaf":
            return self._leaf(inner, of, f"v{depth}")
        if sort == "list":
            item = self.complete(inner, f"i{depth}", depth + 1)
            return f"[{item} for i{depth} in listed({of})]"
        return f"{self._reader(*inner)}({of}, p)"

    def _reader(self, class_: type | None, fields: tuple[tuple[str, Any], ...]) -> str:
        """The name of a function for objects of one type."""
        entries, slots = [], []
        for name, way in fields:
            if way is None or isinstance(way, str):
                entries.append(f"{name!r}: {way!r}")
                continue
            sort, source, value = way
            if sort == "relation":
                entries.append(f"{name!r}: None")
                slots.append(len(self.relations))
                self.relations.append(_Relation(name, source, _compiled(value)))
            else:
                entries.append(f"{name!r}: {self.complete(value, f'o.{source}', 0)}")
        function = self._known(None)
        is_odd = "o is None" if class_ is None else f"o.__class__ is not {self._known(class_)}"
        self.lines += [
            f"def {function}(o, p):",
            f" if {is_odd}: odd()",
            f" r = {{{', '.join(entries)}}}",
            *(f" p[{slot}].append((o, r))" for slot in slots),
            " return r",
        ]
        return function

    def _leaf(self, type_: Any, of: str, v: str) -> str:
        take = f"({v} := {of})"
        if type_ in (GraphQLString, GraphQLID):
            return f"({v} if {take}.__class__ is str else odd())"
        if type_ is GraphQLInt:
            inside = f"-2147483648 <= {v} <= 2147483647"
            return f"({v} if {take}.__class__ is int and {inside} else odd())"
        if type_ is GraphQLFloat:
            number = f"{v} if {take}.__class__ is float and isfinite({v})"
            return f"({number} else float({v}) if {v}.__class__ is int else odd())"
        if type_ is GraphQLBoolean:
            return f"({v} if {take}.__class__ is bool else odd())"
        # Introspection's own enums have no class.
        if enum := getattr(type_, "wrapped_cls", None):
            members = {enum(each.value): name for name, each in type_.values.items()}
            return f"{self._known(members)}[{of}]"
        if type_.name == "DateTime":
            return f"({v}.isoformat() if {take}.__class__ is datetime else odd())"
        serialize = self._known(type_.coerce_output_value)
        return f"({serialize}({v}) if {take} is not None else odd())"

    def _known(self, value: Any) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name


def _odd() -> NoReturn:
    raise ValueError("not plainly what the schema promises")


def _listed(value: Any) -> Any:
    return value if value.__class__ in (list, tuple) else _odd()
