"""What graphql-cop looks for. It is in no package registry, so its checks are made here, named as
there, with its requests: each on a server for developers and on one in production. To developers,
introspection, suggestions, GET and the explorer are left, which tell no more than schema.graphql
does; what it fears of them is checked instead. In production none of its checks finds anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema

from tests.server import HTTP, Server, running_server

SDL = Path(__file__).parents[3] / "schema.graphql"


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"SAMPLEMIND_AUTH_REQUIRED": "true", "SAMPLEMIND_PRODUCTION": "true"}
    with running_server(tmp_path_factory.mktemp("production"), [], **env) as server:
        yield server


@pytest.fixture(params=["server", "production"])
def audited(request: pytest.FixtureRequest) -> Server:
    return request.getfixturevalue(request.param)


def _post(server: Server, body: Any, **headers: str) -> Any:
    return HTTP.post(f"{server.url}/graphql", json=body, headers=headers).json()


def _cop(query: str) -> dict[str, str]:
    return {"query": query, "operationName": "cop"}


def test_alias_overloading(audited: Server):
    aliases = "\n".join(f"alias{index}: __typename" for index in range(101))
    answer = _post(audited, _cop(f"query cop {{ {aliases} }}"))
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"]


def test_batch_query(audited: Server):
    answer = _post(audited, [_cop("query cop { __typename }")] * 10)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BATCHING_NOT_SUPPORTED"]


def test_directive_overloading(audited: Server):
    answer = _post(audited, _cop(f"query cop {{ __typename {'@aa' * 10} }}"))
    assert "data" not in answer
    assert len(answer["errors"]) < 10


def test_circular_query_introspection(audited: Server):
    nested = "fields { type { fields { type { fields { type { fields { type { name } } } } } } } }"
    answer = _post(audited, _cop(f"query cop {{ __schema {{ types {{ {nested} }} }} }}"))
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["code"]


def test_field_duplication(audited: Server):
    answer = _post(audited, _cop(f"query cop {{ {'__typename ' * 500} }}"))
    assert answer == {"data": {"__typename": "Query"}} or "data" not in answer


def test_get_based_mutation(audited: Server):
    parameters = {"query": "mutation cop { __typename }"}
    answer = HTTP.get(f"{audited.url}/graphql", params=parameters)
    assert answer.status_code in (403, 405)
    assert "data" not in answer.json()


@pytest.mark.parametrize("name", ["query", "operations"])
def test_post_based_csrf(audited: Server, name: str):
    answer = HTTP.post(f"{audited.url}/graphql", data={name: "query cop { __typename }"})
    assert answer.status_code == 415
    assert "data" not in answer.json()


def test_trace_mode(audited: Server):
    answer = _post(audited, _cop("query cop { __typename }"))
    assert answer["data"] == {"__typename": "Query"}
    assert "tracing" not in str(answer)


def test_unhandled_error_detection(audited: Server):
    [error] = _post(audited, _cop("qwerty cop { abc }"))["errors"]
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


def test_introspection_in_production(production: Server):
    answer = _post(production, _cop("query cop { __schema { types { name fields { name } } } }"))
    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    answer = _post(production, _cop('query cop { __type(name: "Query") { name } }'))
    assert "data" not in answer


@pytest.mark.parametrize(
    "query",
    [
        "query cop { __schema { directive } }",
        "query cop { viewe { id } }",
        "query cop { audioFiles(firs: 1) { totalCount } }",
        "query cop { viewer { ... on Usr { id } } }",
        "query cop { audioFiles(orderBy: {field: TEMPOS, direction: ASC}) { totalCount } }",
        "query cop { audioFiles(filter: {tag: 1}) { totalCount } }",
    ],
)
def test_field_suggestions_in_production(production: Server, query: str):
    assert "Did you mean" not in str(_post(production, _cop(query)))
    # Nor by values, which are coerced later.
    variables = "query ($f: AudioFileFilter) { audioFiles(filter: $f) { totalCount } }"
    answer = _post(production, {"query": variables, "variables": {"f": {"tag": "x"}}})
    assert "Did you mean" not in str(answer)


@pytest.mark.parametrize("path", ["/graphql", "/", "/graphiql", "/playground", "/console"])
def test_graphiql_in_production(production: Server, path: str):
    page = HTTP.get(
        f"{production.url}{path}", headers={"accept": "text/html"}, follow_redirects=True
    )
    assert page.status_code in (403, 404, 406)
    assert "<script" not in page.text


def test_get_query_in_production(production: Server):
    parameters = {"query": "query cop { __typename }"}
    answer = HTTP.get(f"{production.url}/graphql", params=parameters)
    assert answer.status_code == 403
    assert "data" not in answer.json()
    headers = {"apollo-require-preflight": "true"}
    answer = HTTP.get(f"{production.url}/graphql", params=parameters, headers=headers)
    assert answer.json()["data"] == {"__typename": "Query"}


def test_strangers_find_nothing_in_production(production: Server):
    answer = _post(production, _cop("query cop { audioFiles { totalCount } }"))
    assert answer["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
