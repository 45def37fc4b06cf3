"""How large an operation may be: allowed at each limit, refused one above, with both figures."""

import time
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLSyntaxError, get_introspection_query

from samplemind.settings import Settings
from schema.documents import Document, Documents
from schema.limits import MAX_DIRECTIVES, MAX_FIELDS, MAX_FRAGMENTS, MAX_REPEATS, Limits
from schema.root import graphql_schema

DEFAULTS = Limits.of(Settings())


def prepare(text: str, **limits: int) -> Document:
    return Documents(graphql_schema._schema).prepare(text, replace(DEFAULTS, **limits))


def refusal(text: str, **limits: int) -> dict[str, Any]:
    [error] = prepare(text, **limits).errors
    assert error.extensions
    # People read it, too.
    assert f"{error.extensions['limit']:,}" in error.message
    return error.extensions


def spread(count: int) -> str:
    """A document of `count` fragments, all of which are spread."""
    spreads = " ".join(f"...f{i}" for i in range(count))
    fragments = " ".join(f"fragment f{i} on User {{ id }}" for i in range(count))
    return f"{{ viewer {{ {spreads} }} }} {fragments}"


def doubling(levels: int) -> str:
    """Each fragment selects the next one twice: 2^levels fields that no merging makes fewer."""
    fragments = "".join(
        f"fragment f{i} on AudioFile {{ a: duplicates {{ ...f{i + 1} }}"
        f" b: duplicates {{ ...f{i + 1} }} }} "
        for i in range(levels)
    )
    last = f"fragment f{levels} on AudioFile {{ id }}"
    return '{ node(id: "x") { ...f0 } } ' + fragments + last


class TestTokens:
    def test_at_the_limit(self):
        text = "{ viewer { id role } }  # a comment is none"
        assert prepare(text, tokens=7).errors == []
        assert refusal(text, tokens=6) == {"code": "OPERATION_TOO_LONG", "limit": 6}

    def test_comments_are_read_to_a_limit_too(self):
        text = "#\n" * 8 + "{ viewer { id } }"
        assert prepare(text, tokens=8).errors == []
        assert refusal(text, tokens=7)["code"] == "OPERATION_TOO_LONG"

    def test_what_is_no_graphql_says_so(self):
        document = prepare("{ viewer { id }")
        assert document.node is None
        assert isinstance(document.errors[0], GraphQLSyntaxError)

    def test_reading_ends_at_the_limit(self):
        began = time.perf_counter()
        assert refusal("{" + "a " * 2_000_000 + "}")["code"] == "OPERATION_TOO_LONG"
        assert time.perf_counter() - began < 5


class TestDepth:
    @pytest.mark.parametrize(
        "text",
        [
            "{ audioFiles { pageInfo { endCursor } } }",
            "{ ...f } fragment f on Query { ... { audioFiles { ... on AudioFileConnection {"
            " ...g } } } } fragment g on AudioFileConnection { pageInfo { endCursor } }",
            "query A { viewer { id } } query B { audioFiles { pageInfo { endCursor } } }",
        ],
    )
    def test_at_the_limit(self, text: str):
        assert prepare(text, depth=3).errors == []
        expected = {"code": "OPERATION_TOO_DEEP", "limit": 2, "actual": 3}
        assert refusal(text, depth=2) == expected

    def test_deeper_than_anybody_can_read(self):
        [error] = prepare("{a" * 2_000, tokens=10_000).errors
        assert "nested too deeply" in error.message

    def test_a_chain_of_fragments(self):
        chain = "".join(
            f"fragment f{i} on AudioFile {{ duplicates {{ duplicates {{ ...f{i + 1} }} }} }} "
            for i in range(199)
        )
        text = '{ node(id: "x") { ...f0 } } ' + chain + "fragment f199 on AudioFile { id }"
        assert refusal(text) == {"code": "OPERATION_TOO_DEEP", "limit": DEFAULTS.depth}

    def test_what_is_wrong_otherwise_is_told_as_such(self):
        for text in (
            "{ viewer { ...f } } fragment f on User { ...g } fragment g on User { ...f }",
            "{ viewer { ...missing } }",
            "{ nothing { at { all } } }",
            "fragment f on User { id }",
            "type Query { id: ID }",
        ):
            errors = prepare(text).errors
            assert errors
            assert all(not error.extensions for error in errors)


class TestCounts:
    def test_aliases(self):
        text = "{ " + " ".join(f"a{i}: viewer {{ id }}" for i in range(3)) + " }"
        assert prepare(text, aliases=3).errors == []
        expected = {"code": "TOO_MANY_ALIASES", "limit": 2, "actual": 3}
        assert refusal(text, aliases=2) == expected

    def test_aliases_in_fragments_count_wherever_they_are_spread(self):
        text = "{ viewer { ...f } rest: viewer { ...f } } fragment f on User { a: id b: id }"
        assert prepare(text, aliases=5).errors == []
        assert refusal(text, aliases=4)["actual"] == 5

    def test_root_fields(self):
        text = (
            "{ viewer { id } ... { rateLimit { cost } } ...f } fragment f on Query { __typename }"
        )
        assert prepare(text, root_fields=3).errors == []
        expected = {"code": "TOO_MANY_ROOT_FIELDS", "limit": 2, "actual": 3}
        assert refusal(text, root_fields=2) == expected

    def test_fragments(self):
        assert prepare(spread(MAX_FRAGMENTS)).errors == []
        expected = {"limit": MAX_FRAGMENTS, "actual": MAX_FRAGMENTS + 1}
        assert refusal(spread(MAX_FRAGMENTS + 1)) == {"code": "TOO_MANY_FRAGMENTS", **expected}

    def test_directives_in_one_place(self):
        query = "query ($a: Boolean!) {{ viewer {{ id {} }} }}"
        at_limit = prepare(query.format("@skip(if: $a) " * MAX_DIRECTIVES))
        assert "directive '@skip' can only be used once" in at_limit.errors[0].message
        expected = {"limit": MAX_DIRECTIVES, "actual": MAX_DIRECTIVES + 1}
        above = "@skip(if: $a) " * (MAX_DIRECTIVES + 1)
        for text in (
            query.format(above),
            f"query {above} {{ viewer {{ id }} }}",
            f"{{ viewer {{ ... {above} {{ id }} }} }}",
            f"{{ viewer {{ ...f {above} }} }} fragment f on User {{ id }}",
            f"{{ viewer {{ ...f }} }} fragment f on User {above} {{ id }}",
        ):
            assert refusal(text) == {"code": "TOO_MANY_DIRECTIVES", **expected}

    def test_the_same_field_in_one_place(self):
        text = "{{ viewer {{ {} }} }}"
        assert prepare(text.format("id " * MAX_REPEATS)).errors == []
        expected = {"limit": MAX_REPEATS, "actual": MAX_REPEATS + 1}
        above = text.format("id " * (MAX_REPEATS + 1))
        assert refusal(above) == {"code": "TOO_MANY_FIELDS", **expected}

    def test_fields_with_fragments_spread(self):
        # node, and 2 + 4 + … + 2^n, and as many ids as the last of them.
        within, above = 1 + (2**11 - 2) + 2**10, 1 + (2**13 - 2) + 2**12
        assert within <= MAX_FIELDS < above
        assert prepare(doubling(10), aliases=MAX_FIELDS).errors == []
        expected = {"code": "TOO_MANY_FIELDS", "limit": MAX_FIELDS, "actual": above}
        assert refusal(doubling(12), aliases=2**13) == expected

    def test_what_would_take_for_ever_is_refused_at_once(self):
        began = time.perf_counter()
        extensions = refusal(doubling(150), depth=1_000)
        assert extensions["code"] == "TOO_MANY_ALIASES"
        # No more than clients can read.
        assert extensions["actual"] == 2**31 - 1
        assert time.perf_counter() - began < 5


class TestTools:
    def test_introspection_passes(self):
        text = get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            input_value_deprecation=True,
        )
        assert prepare(text).errors == []

    def test_circular_introspection_does_not(self):
        text = "{ __schema { types { fields { type { fields { type { fields { type { name"
        [error] = prepare(text + " } " * 9).errors
        assert "introspection depth" in error.message


class TestDocuments:
    def test_a_valid_one_is_made_ready_once(self):
        documents = Documents(graphql_schema._schema)
        text = "{ viewer { id } }"
        assert documents.prepare(text, DEFAULTS) is documents.prepare(text, DEFAULTS)
        wrong = "{ viewer { nothing } }"
        assert documents.prepare(wrong, DEFAULTS) is not documents.prepare(wrong, DEFAULTS)
        # Other limits, another answer.
        assert documents.prepare(text, replace(DEFAULTS, depth=1)).errors

    def test_they_do_not_grow_without_end(self):
        documents = Documents(graphql_schema._schema)
        first = documents.prepare("{ viewer { id } }", DEFAULTS)
        for i in range(100):
            documents.prepare(f"query A{i} {{ viewer {{ id }} }} #" + "x" * 10_000, DEFAULTS)
        assert documents.prepare("{ viewer { id } }", DEFAULTS) is not first
