"""Everything that can be asked for has a row in the one table, and the table has nothing else."""

from dataclasses import replace

import pytest
from graphql import GraphQLObjectType, build_schema, parse

from resolvers.permissions import require
from resolvers.scope import Scope
from samplemind.auth.callers import Caller
from samplemind.auth.permissions import PERMISSIONS, Access
from samplemind.domain.errors import Forbidden, TokenExpired, Unauthenticated
from samplemind.domain.user import Role
from samplemind.parts import Parts
from schema.root import graphql_schema, sdl
from schema.roots import root_fields
from tests.domain.models import user

_SCHEMA = build_schema(sdl())
_META = {"Query": {"__typename", "__schema", "__type"}}
_ROWS = [
    (root, name, access) for root, rows in PERMISSIONS.items() for name, access in rows.items()
]


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
def test_every_field_of_a_root_has_a_row(root: str) -> None:
    type_ = _SCHEMA.type_map[root]
    assert isinstance(type_, GraphQLObjectType)
    assert set(PERMISSIONS[root]) == set(type_.fields) | _META.get(root, {"__typename"})


def test_there_are_no_other_roots() -> None:
    roots = (_SCHEMA.query_type, _SCHEMA.mutation_type, _SCHEMA.subscription_type)
    assert {root.name for root in roots if root} == set(PERMISSIONS)


@pytest.mark.parametrize(("root", "name", "access"), _ROWS)
def test_each_lets_in_whom_it_says(
    parts: Parts, owner_id: str, root: str, name: str, access: Access
) -> None:
    person = user(owner_id)
    callers = {
        Access.ANYONE: Scope(parts, None),
        Access.USER: Scope(parts, person, caller=Caller(person, api_key_id="1")),
        Access.PASSWORD: Scope(parts, person, caller=Caller(person, session_id="1")),
        Access.ADMIN: Scope(parts, replace(person, role=Role.ADMIN)),
    }
    let_in = {
        Access.ANYONE: set(Access),
        Access.USER: {Access.USER, Access.PASSWORD, Access.ADMIN},
        Access.PASSWORD: {Access.PASSWORD, Access.ADMIN},
        Access.ADMIN: {Access.ADMIN},
    }[access]
    for who, scope in callers.items():
        if who in let_in:
            require(scope, root, [name])
            continue
        with pytest.raises(Unauthenticated if scope.viewer is None else Forbidden):
            require(scope, root, ["__typename", name])


def test_what_has_no_row_is_for_nobody(parts: Parts, owner_id: str) -> None:
    admin = replace(user(owner_id), role=Role.ADMIN)
    with pytest.raises(Forbidden):
        require(Scope(parts, admin), "Query", ["audioFiles", "somethingNew"])


def test_who_is_refused_hears_why(parts: Parts) -> None:
    stale = Caller(refusal=TokenExpired("over"))
    with pytest.raises(TokenExpired):
        require(Scope(parts, None, caller=stale), "Query", ["node"])


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("{ viewer { id } a: node(id: 1) { id } }", {"viewer", "node"}),
        ("{ ... { ...F } } fragment F on Query { nodes ... on Query { batchJobs } }",
         {"nodes", "batchJobs"}),
        ("{ ...F ...F } fragment F on Query { viewer { audioFiles } }", {"viewer"}),
        ("query ($x: Boolean!) { viewer @skip(if: $x) { id } __typename }",
         {"viewer", "__typename"}),
    ],
)  # fmt: skip
def test_fields_of_the_root_are_found_wherever_they_stand(text: str, fields: set[str]) -> None:
    document = parse(text)
    assert root_fields(document, document.definitions[0]) == fields  # pyright: ignore


@pytest.mark.parametrize(
    "query",
    [
        "{ audioFiles { totalCount } }",
        "{ __typename ...F } fragment F on Query { x: libraryStats { audioFiles } }",
        "query A { __typename } query B { batchJobs { totalCount } }",
        'mutation { deleteAudioFile(input: {id: "x"}) { deletedId } }',
    ],
)
async def test_nothing_of_an_operation_runs_that_asks_for_too_much(
    parts: Parts, query: str
) -> None:
    name = "B" if "B" in query else None
    answer = await graphql_schema.execute(
        query, context_value=Scope(parts, None), operation_name=name
    )
    assert answer.data is None
    [error] = answer.errors or []
    assert (error.extensions or {})["code"] == "UNAUTHENTICATED"
    assert error.path is None
