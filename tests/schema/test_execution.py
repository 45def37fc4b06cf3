"""The short way answers as graphql-core does, to the letter, and asks a relation once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, cast

import pytest
import strawberry
from graphql import get_introspection_query
from strawberry.scalars import JSON

from resolvers.scope import Scope
from schema.execution import Executor
from schema.relation import relation


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Point:
    x: float | None
    y: float


@strawberry.type
class Maker(Named):
    age: int


@strawberry.type
class Thing(Named):
    id: strawberry.ID
    colour: Colour | None
    count: int
    size: float
    flag: bool
    made: datetime
    more: JSON
    tags: list[str]
    grid: list[list[int | None]] | None
    point: Point | None
    points: list[Point]

    @relation(description="Who made it.")
    @staticmethod
    async def maker(things: Sequence["Thing"], scope: Scope) -> list[Maker | None]:
        calls = cast("Calls", scope)
        calls.made.append([thing.name for thing in things])
        if "raises" in [thing.name for thing in things]:
            raise ValueError("who knows")
        return [None if t.name == "b" else Maker(name=f"M{t.name}", age=t.count) for t in things]

    @relation(description="Its like, which cannot be null.")
    @staticmethod
    async def like(things: Sequence["Thing"], scope: Scope) -> list["Thing"]:
        cast("Calls", scope).liked += 1
        return [thing if thing.name != "b" else cast("Thing", None) for thing in things]

    @strawberry.field
    async def slow(self) -> str:
        return f"slow {self.name}"

    @strawberry.field
    def times(self, by: int = 2) -> int:
        return self.count * by

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError(f"no {self.name}")


@dataclass
class Calls:
    """Stands in for the scope: notes what the relations are asked."""

    made: list[list[str]] = field(default_factory=list)
    liked: int = 0


def thing(name: str, **changed: Any) -> Thing:
    values: dict[str, Any] = {
        "id": strawberry.ID(f"id-{name}"),
        "colour": Colour.RED,
        "count": 3,
        "size": 1.5,
        "flag": True,
        "made": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "more": {"deep": [1, None]},
        "tags": ["p", "q"],
        "grid": [[1, None], []],
        "point": Point(x=None, y=2.0),
        "points": [Point(x=1.0, y=2.0), Point(x=3.0, y=4.0)],
    }
    return Thing(name=name, **{**values, **changed})


ODD: dict[str, dict[str, Any]] = {
    "a null that must not be": {"size": None},
    "a null in a list": {"tags": ["p", None]},
    "not a number": {"size": math.nan},
    "a whole number for a float": {"size": 2},
    "too large for an Int": {"count": 2**31},
    "text for a number": {"count": "3"},
    "a number for text": {"tags": [1]},
    "a number for a flag": {"flag": 1},
    "no list": {"tags": 5},
    "a tuple for a list": {"tags": ("p",)},
    "not of the enum": {"colour": "green"},
    "a null that may be": {"colour": None, "grid": None, "point": None},
    "an exception as a value": {"point": ValueError("odd")},
    "a nested null that must not be": {"points": [Point(x=1.0, y=cast("float", None))]},
    "another class": {"point": Maker(name="m", age=1)},
}


@strawberry.type
class Query:
    @strawberry.field
    def things(self, names: list[str]) -> list[Thing]:
        return [thing(name, **ODD.get(name, {})) for name in names]

    @strawberry.field
    async def maybe(self, name: str) -> Thing | None:
        return thing(name, **ODD.get(name, {}))

    @strawberry.field
    async def named(self, name: str) -> Named:
        return thing(name)

    @strawberry.field
    def strange(self) -> list[Thing]:
        return [thing("a"), cast("Thing", Point(x=1.0, y=1.0))]


ours = strawberry.Schema(query=Query, execution_context_class=Executor)
plain = strawberry.Schema(query=Query)

_ALL = """
    __typename id name colour count size flag made more tags grid
    point { x y __typename } points { y }
"""


async def both(
    query: str, variables: dict[str, Any] | None = None
) -> tuple[dict[str, Any], Calls, Calls]:
    """Our answer, which is seen to be graphql-core's, and what each asked."""
    answers, calls = [], []
    for schema in (ours, plain):
        asked = Calls()
        result = await schema.execute(query, variable_values=variables, context_value=asked)
        errors = [error.formatted for error in result.errors or []]
        answers.append({"data": result.data, "errors": errors})
        calls.append(asked)
    first, second = answers
    assert first == second
    assert str(first["data"]) == str(second["data"])  # the order of the fields too
    return first, calls[0], calls[1]


@pytest.mark.parametrize("name", ["a", *ODD])
@pytest.mark.parametrize("root", ["maybe(name: $name)", "things(names: [$name])"])
async def test_values_plain_and_odd(name: str, root: str) -> None:
    answer, _, _ = await both(
        f"query ($name: String!) {{ it: {root} {{ {_ALL} }} }}", {"name": name}
    )
    if name == "a":
        assert answer["errors"] == []


@pytest.mark.parametrize(
    "query",
    [
        "{ things(names: [a, b]) { n: name name again: colour } }".replace("[a, b]", '["a", "b"]'),
        """query ($yes: Boolean = true) { maybe(name: "a") {
             name @skip(if: $yes) id @include(if: $yes) point @include(if: $yes) { x }
             ... @skip(if: $yes) { tags } } }""",
        """{ maybe(name: "a") { ...F point { x } ... on Named { name } } }
           fragment F on Thing { point { y } tags ...G } fragment G on Thing { tags count }""",
        '{ named(name: "a") { __typename name ... on Thing { count maker { name } } } }',
        '{ things(names: ["a", "b"]) { slow name times twice: times(by: 4) fails } }',
        '{ things(names: ["a", "b"]) { name maker { __typename name age } slow } }',
        '{ things(names: ["a", "c"]) { like { like { name maker { age } } } maker { name } } }',
        '{ things(names: ["a", "b"]) { name like { name } } }',
        '{ maybe(name: "b") { name like { name } } }',
        '{ things(names: ["a", "raises"]) { name maker { name } } }',
        '{ maybe(name: "raises") { maker { name fails } } }'.replace(" fails", ""),
        "{ strange { name } }",
        '{ __schema { queryType { name } } maybe(name: "a") { __typename } }',
        get_introspection_query(),
        '{ maybe(name: "a") { more tags { x } } }',
        '{ maybe(name: "a") { maker { age ... on Named { name } } } }',
    ],
)
async def test_selections(query: str) -> None:
    await both(query)


async def test_a_relation_is_asked_once_for_a_list() -> None:
    query = '{ things(names: ["a", "c", "d"]) { like { maker { name } } maker { name } } }'
    _, short, ordinary = await both(query)
    assert sorted(short.made) == [["a", "c", "d"], ["a", "c", "d"]]
    assert short.liked == 1
    assert len(ordinary.made) == 6


async def test_what_is_under_a_resolver_is_read_the_short_way_too() -> None:
    _, short, _ = await both('{ things(names: ["a", "c"]) { slow maker { name } } }')
    assert sorted(short.made) == [["a"], ["c"]]


def test_a_relation_has_the_type_of_an_item() -> None:
    sdl = ours.as_str()
    assert "  maker: Maker\n" in sdl
    assert "  like: Thing!\n" in sdl
