"""The schema keeps its promises: the file in the repository, the contract, the descriptions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    TypeDefinitionNode,
    build_schema,
    is_introspection_type,
    is_required_input_field,
    is_specified_scalar_type,
    parse,
    print_ast,
    validate,
)

from resolvers.scope import Scope
from samplemind.parts import Parts
from schema.root import graphql_schema, sdl
from tests.domain.models import user

_ROOT = Path(__file__).parents[2]
_EXAMPLES = _ROOT / "samplemind/server/explorer/src/examples"

_CONTRACT = build_schema((Path(__file__).parent / "contract.graphql").read_text())
_REAL = build_schema(sdl())


def _own(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    return [
        type_
        for type_ in schema.type_map.values()
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_)
    ]


def _default(value: GraphQLArgument | GraphQLInputField) -> str:
    """As written. No default and null are the same to a client: nothing is asked for."""
    node = value.ast_node and value.ast_node.default_value
    return print_ast(node) if node else "null"


def test_the_checked_in_schema_is_the_codes() -> None:
    command = "samplemind schema > schema.graphql"
    assert (_ROOT / "schema.graphql").read_text() == sdl(), f"run: {command}"


def test_types_stand_in_the_order_of_the_alphabet() -> None:
    definitions = parse(sdl()).definitions
    names = [each.name.value for each in definitions if isinstance(each, TypeDefinitionNode)]
    assert len(names) > 50
    assert names == sorted(names)


@pytest.mark.parametrize("name", [type_.name for type_ in _own(_CONTRACT)])
def test_the_contract_is_kept(name: str) -> None:
    promised, real = _CONTRACT.type_map[name], _REAL.type_map.get(name)
    assert type(real) is type(promised)
    if isinstance(promised, GraphQLEnumType):
        assert isinstance(real, GraphQLEnumType)
        assert set(promised.values) <= set(real.values)
    elif isinstance(promised, GraphQLObjectType | GraphQLInterfaceType):
        assert isinstance(real, GraphQLObjectType | GraphQLInterfaceType)
        assert {i.name for i in promised.interfaces} <= {i.name for i in real.interfaces}
        for field_name, field in promised.fields.items():
            assert field_name in real.fields
            _keeps(field, real.fields[field_name], field_name)
    elif isinstance(promised, GraphQLInputObjectType):
        assert isinstance(real, GraphQLInputObjectType)
        for field_name, field in promised.fields.items():
            _accepts(field, real.fields.get(field_name), field_name)
        for field_name in set(real.fields) - set(promised.fields):
            added = real.fields[field_name]
            assert not is_required_input_field(added), f"clients do not know {field_name}"


def _keeps(promised: GraphQLField, real: GraphQLField, name: str) -> None:
    assert str(real.type) == str(promised.type), name
    for argument_name, argument in promised.args.items():
        _accepts(argument, real.args.get(argument_name), f"{name}({argument_name})")


def _accepts(
    promised: GraphQLArgument | GraphQLInputField,
    real: GraphQLArgument | GraphQLInputField | None,
    name: str,
) -> None:
    assert real is not None, name
    assert str(real.type) == str(promised.type), name
    assert _default(real) == _default(promised), name


async def test_one_of_is_said_where_clients_read_it(parts: Parts, owner_id: str) -> None:
    asked = await graphql_schema.execute(
        '{ __type(name: "SimilarityTarget") { isOneOf } }',
        context_value=Scope(parts, user(owner_id)),
    )
    assert asked.data == {"__type": {"isOneOf": True}}
    assert "input SimilarityTarget @oneOf" in sdl()


def _described() -> Iterator[tuple[str, str | None]]:
    for type_ in _own(_REAL):
        yield type_.name, type_.description
        if isinstance(type_, GraphQLEnumType):
            for name, value in type_.values.items():
                yield f"{type_.name}.{name}", value.description
        elif isinstance(type_, GraphQLInputObjectType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field.description
        elif isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for name, field in type_.fields.items():
                yield f"{type_.name}.{name}", field.description
                for argument_name, argument in field.args.items():
                    yield f"{type_.name}.{name}({argument_name})", argument.description


def test_everything_is_described() -> None:
    described = dict(_described())
    assert len(described) > 200
    assert [name for name, text in described.items() if not (text or "").strip()] == []


@pytest.mark.parametrize("path", sorted(_EXAMPLES.glob("*.graphql")), ids=lambda path: path.stem)
def test_the_explorers_examples_are_valid(path: Path) -> None:
    assert validate(_REAL, parse(path.read_text())) == []


def test_there_are_examples() -> None:
    assert list(_EXAMPLES.glob("*.graphql"))
