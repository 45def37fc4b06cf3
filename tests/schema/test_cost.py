"""What operations cost, each reckoned by hand: an object is a point, and so is the root."""

from typing import Any

import pytest
from graphql import GraphQLField, get_named_type, get_nullable_type, is_composite_type, is_list_type

from samplemind.settings import Settings
from schema.directives import Cost, ListSize
from schema.documents import Documents
from schema.limits import Limits
from schema.paging import DEFAULT_SIZE, MAX_SIZE
from schema.root import graphql_schema

SCHEMA = graphql_schema._schema
LIMITS = Limits.of(Settings(max_depth=30))


def cost(text: str, operation: str | None = None, **variables: Any) -> int:
    document = Documents(SCHEMA).prepare(text, LIMITS)
    assert document.errors == []
    return document.prices[operation].of(variables)


NODE = "edges { node { id } }"
# The edge and its node.
ROW = 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", 1),
        ("{ viewer { id username } }", 2),
        ("{ a: viewer { id } b: viewer { id } }", 3),
        ("{ viewer { id } viewer { username } }", 2),
        ("{ __schema { types { name fields { name } } } }", 1),
        # The root, the connection, and as many edges with a node as are asked for.
        (f"{{ audioFiles(first: 10) {{ {NODE} }} }}", 2 + 10 * ROW),
        (f"{{ audioFiles(last: 10) {{ {NODE} }} }}", 2 + 10 * ROW),
        (f"{{ audioFiles {{ {NODE} }} }}", 2 + DEFAULT_SIZE * ROW),
        (f"{{ audioFiles(first: null) {{ {NODE} }} }}", 2 + DEFAULT_SIZE * ROW),
        (f"{{ audioFiles(first: 0) {{ {NODE} }} }}", 2),
        (f"{{ audioFiles(first: -5) {{ {NODE} }} }}", 2),
        (f"{{ audioFiles(first: 1000000) {{ {NODE} }} }}", 2 + MAX_SIZE * ROW),
        ("{ audioFiles(first: 10) { pageInfo { endCursor } totalCount } }", 2 + 1 + 1),
        # Owner, analysis, its tempo, and ten labels for each of three.
        (
            "{ audioFiles(first: 3) { edges { node { owner { id } analysis {"
            " tempo { bpm } beats labels { name } } } } } }",
            2 + 3 * (ROW + 1 + 1 + 1 + 10),
        ),
        # The example of docs/deployment.md.
        (
            "{ audioFiles(first: 10) { edges { node { id owner { username } } } } }",
            1 + 1 + 10 * (ROW + 1),
        ),
        # A search is 10 and its connection 1, for each of three files.
        (
            "{ audioFiles(first: 3) { edges { node { "
            f"similarTo(first: 4) {{ {NODE} }} }} }} }} }}",
            2 + 3 * (ROW + 10 + 1 + 4 * ROW),
        ),
        ("{ libraryStats { audioFiles byKind { name count } } }", 1 + 50 + 1 + 20),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 1 + 3),
        ('{ node(id: "x") { id ... on AudioFile { duplicates { id } } } }', 1 + 1 + 10 + 5),
        # A node is one of these: the dearest counts.
        (
            '{ node(id: "x") { ... on AudioFile { owner { id } }'
            " ... on BatchJob { owner { id } items(first: 1) { edges { cursor } } } } }",
            1 + 1 + (1 + 1 + 1),
        ),
        (
            'mutation { deleteAudioFile(input: {id: "x"}) { errors { code } } }',
            1 + 10 + 1 + 1,
        ),
        (
            "mutation { a: cancelBatchJob(input: {id: 1}) { batchJob { id } }"
            " b: retryBatchJob(input: {id: 1}) { batchJob { id } } }",
            1 + (10 + 2) + (20 + 2),
        ),
        ('subscription { analysisUpdated(audioFileId: "x") { id } }', 1 + 10 + 1),
    ],
)
def test_by_hand(text: str, expected: int):
    assert cost(text) == expected


class TestFragments:
    def test_what_several_select_counts_once(self):
        text = """
            { viewer { id } audioFiles(first: 5) { ...a ...b edges { node { owner { id } } } } }
            fragment a on AudioFileConnection { edges { node { ...file } } }
            fragment b on AudioFileConnection { edges { node { ...file analysis { id } } } }
            fragment file on AudioFile { owner { username } analysis { tempo { bpm } } }
        """
        assert cost(text) == 1 + 1 + 1 + 5 * (ROW + 1 + 1 + 1)

    def test_of_the_interface_apply_to_its_types(self):
        text = '{ node(id: "x") { ... on Node { ... on AudioFile { owner { id } } } } }'
        assert cost(text) == 3

    def test_that_multiply_without_end_have_a_price_that_can_be_told(self):
        levels = 6
        inner = "id"
        for _ in range(levels):
            inner = f"similarTo(first: 200) {{ edges {{ node {{ {inner} }} }} }}"
        assert cost(f'{{ node(id: "x") {{ ... on AudioFile {{ {inner} }} }} }}') == 2**31 - 1


class TestVariables:
    LIST = f"query ($n: Int) {{ audioFiles(first: $n) {{ {NODE} }} }}"

    @pytest.mark.parametrize(
        ("given", "size"),
        [
            ({}, DEFAULT_SIZE),
            ({"n": None}, DEFAULT_SIZE),
            ({"n": 7}, 7),
            ({"n": 0}, 0),
            ({"n": -1}, 0),
            ({"n": 10**12}, MAX_SIZE),
            # What is no size is refused when it is read; here it must only not break.
            ({"n": "many"}, DEFAULT_SIZE),
            ({"n": 1.5}, DEFAULT_SIZE),
            ({"n": {}}, DEFAULT_SIZE),
        ],
    )
    def test_are_sizes(self, given: dict[str, Any], size: int):
        assert cost(self.LIST, **given) == 2 + size * ROW

    def test_have_defaults(self):
        text = self.LIST.replace("Int", "Int = 3")
        assert cost(text) == 2 + 3 * ROW
        assert cost(text, n=4) == 2 + 4 * ROW

    def test_are_lists_too(self):
        text = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        assert cost(text, ids=["x"] * 300) == 1 + 300

    def test_include_and_skip(self):
        text = """query ($a: Boolean = true, $b: Boolean!) {
            viewer @skip(if: $a) { id }
            ... @include(if: $b) { libraryStats { analyzed } }
            rateLimit @include(if: true) { cost }
            other: rateLimit @include(if: false) { cost }
        }"""
        assert cost(text, b=False) == 1 + 1
        assert cost(text, b=True) == 1 + 1 + 51
        assert cost(text, a=False, b=True) == 1 + 1 + 51 + 1

    def test_of_one_document_are_told_apart(self):
        document = Documents(SCHEMA).prepare(self.LIST, LIMITS)
        price = document.prices[None]
        assert [price.of({"n": n}) for n in (1, 2, 1)] == [4, 6, 4]

    def test_each_operation_has_its_own_price(self):
        text = "query A { viewer { id } } query B { __typename }"
        assert [cost(text, name) for name in "AB"] == [2, 1]


FIELDS = {
    f"{type_.name}.{name}": field
    for type_ in SCHEMA.type_map.values()
    if not type_.name.startswith("__")
    for name, field in getattr(type_, "fields", {}).items()
    if isinstance(field, GraphQLField)
}


class TestSchema:
    def declared(self, name: str, kind: type) -> Any:
        definition = FIELDS[name].extensions["strawberry-definition"]
        return next((each for each in definition.directives if isinstance(each, kind)), None)

    def test_says_how_long_each_list_of_objects_is(self):
        edges = set()
        for name, field in FIELDS.items():
            size = self.declared(name, ListSize)
            for sized in (size and size.sized_fields) or ():
                edges.add(f"{get_named_type(field.type).name}.{sized}")
        lists = {
            name
            for name, field in FIELDS.items()
            if is_list_type(get_nullable_type(field.type))
            and is_composite_type(get_named_type(field.type))
        }
        assert len(lists) > 10
        assert {name for name in lists - edges if not self.declared(name, ListSize)} == set()

    def test_every_connection_is_sized_by_its_arguments(self):
        connections = {name for name, field in FIELDS.items() if "first" in field.args}
        assert len(connections) >= 6
        for name in connections:
            slicing = self.declared(name, ListSize).slicing_arguments
            assert set(slicing) == {"first", "last"} & set(FIELDS[name].args)

    def test_all_that_changes_or_stays_open_costs(self):
        roots = (SCHEMA.mutation_type, SCHEMA.subscription_type)
        names = [f"{root.name}.{name}" for root in roots if root for name in root.fields]
        assert len(names) >= 9
        for name in names:
            assert int(self.declared(name, Cost).weight) >= 10, name

    def test_what_others_are_told_is_what_counts(self):
        sdl = (graphql_schema.as_str()).replace("\n", " ")
        assert '@cost(weight: "50")' in sdl
        assert (
            '@listSize(assumedSize: 50, requireOneSlicingArgument: false, sizedFields: ["edges"]'
            in sdl
        )
