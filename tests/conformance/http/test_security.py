"""What graphql-cop looks for. It is in no package registry, so its checks are made here, named as
there, with its requests. Introspection, suggestions, GET and GraphiQL stay: they are for
developers, and tell no more than schema.graphql does; what it fears of them is checked instead."""

from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from tests.server import HTTP, Server

SDL = Path(__file__).parents[3] / "schema.graphql"


def _post(server: Server, body: Any, **headers: str) -> Any:
    return HTTP.post(f"{server.url}/graphql", json=body, headers=headers).json()


def _cop(query: str) -> dict[str, str]:
    return {"query": query, "operationName": "cop"}


def test_alias_overloading(server: Server):
    aliases = "\n".join(f"alias{index}: __typename" for index in range(101))
    answer = _post(server, _cop(f"query cop {{ {aliases} }}"))
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"]


def test_batch_query(server: Server):
    answer = _post(server, [_cop("query cop { __typename }")] * 10)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BATCHING_NOT_SUPPORTED"]


def test_directive_overloading(server: Server):
    answer = _post(server, _cop(f"query cop {{ __typename {'@aa' * 10} }}"))
    assert "data" not in answer
    assert len(answer["errors"]) < 10


def test_circular_query_introspection(server: Server):
    nested = "fields { type { fields { type { fields { type { fields { type { name } } } } } } } }"
    answer = _post(server, _cop(f"query cop {{ __schema {{ types {{ {nested} }} }} }}"))
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"]


def test_field_duplication(server: Server):
    answer = _post(server, _cop(f"query cop {{ {'__typename ' * 500} }}"))
    assert answer == {"data": {"__typename": "Query"}} or "data" not in answer


def test_get_based_mutation(server: Server):
    parameters = {"query": "mutation cop { __typename }"}
    answer = HTTP.get(f"{server.url}/graphql", params=parameters)
    assert answer.status_code == 405
    assert "data" not in answer.json()


@pytest.mark.parametrize("name", ["query", "operations"])
def test_post_based_csrf(server: Server, name: str):
    answer = HTTP.post(f"{server.url}/graphql", data={name: "query cop { __typename }"})
    assert answer.status_code == 415
    assert "data" not in answer.json()


def test_trace_mode(server: Server):
    answer = _post(server, _cop("query cop { __typename }"))
    assert answer["data"] == {"__typename": "Query"}
    assert "tracing" not in str(answer)


def test_unhandled_error_detection(server: Server):
    [error] = _post(server, _cop("qwerty cop { abc }"))["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_PARSE_FAILED"}


def test_introspection_and_suggestions_tell_what_is_public(server: Server):
    told = _post(server, _cop("query cop { __schema { types { name } } }"))["data"]["__schema"]
    names = {each["name"] for each in told["types"]}
    published = build_schema(SDL.read_text())
    assert names == set(published.type_map)

    [error] = _post(server, _cop("query cop { __schema { directive } }"))["errors"]
    assert error["message"].endswith("Did you mean 'directives'?")


def test_the_explorer_is_ours(server: Server):
    """It loads nothing from elsewhere, and is only for who asks for a page."""
    page = HTTP.get(f"{server.url}/graphql", headers={"accept": "text/html"})
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert HTTP.get(f"{server.url}/graphql").status_code == 400
