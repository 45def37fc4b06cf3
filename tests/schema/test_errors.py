"""Errors as clients meet them: coded, located, and without our insides."""

from dataclasses import replace
from typing import Any

import pytest
import structlog

from resolvers.scope import Scope
from samplemind.domain.analysis import AnalysisStatus
from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from samplemind.store import Store
from schema.ids import encode_id
from schema.paging import encode_cursor
from schema.root import graphql_schema
from tests.domain.models import analysis, audio_file, embedding, findings, user


@pytest.fixture
def scope(parts: Parts, owner_id: str) -> Scope:
    return Scope(parts, user(owner_id))


async def _error(scope: Scope, query: str, **variables: Any) -> dict[str, Any]:
    result = await graphql_schema.execute(
        query, context_value=scope, variable_values=variables or None
    )
    assert result.errors
    return result.errors[0].formatted  # pyright: ignore


_SIMILAR = "query ($id: ID!) { similarTo(target: {audioFileId: $id}) { pageInfo { hasNextPage } } }"
_LIST = "query ($first: Int, $filter: AudioFileFilter) { audioFiles(first: $first, filter: $filter)"
_LIST += " { totalCount } }"


async def test_an_expected_failure_has_its_code_field_and_path(scope: Scope) -> None:
    error = await _error(scope, _SIMILAR, id=encode_id("AudioFile", new_id()))
    assert error["extensions"] == {"code": "NOT_FOUND", "field": ["id"]}
    assert error["path"] == ["similarTo"]
    error = await _error(scope, _SIMILAR, id="garbage")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["target", "audioFileId"]}
    error = await _error(scope, _LIST, first=-1)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["first"]}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("query {", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
        ('{ audioFiles(first: "x") { totalCount } }', "GRAPHQL_VALIDATION_FAILED"),
        ("{ similarTo(target: {}) { pageInfo { hasNextPage } } }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_document_that_is_wrong_says_how(scope: Scope, query: str, code: str) -> None:
    error = await _error(scope, query)
    assert error["extensions"] == {"code": code}
    assert "Something went wrong" not in error["message"]


@pytest.mark.parametrize(
    "variables",
    [
        {"first": "many"},
        {"first": 2**31},
        {"first": 1.5},
        {"filter": {"unknown": 1}},
        {"filter": {"kinds": ["NOISE"]}},
        {"filter": {"uploadedAt": {"from": "yesterday"}}},
        {"filter": {"tempo": {"min": "NaN"}}},
        {"filter": {"keys": [{"tonic": "H", "mode": "MAJOR"}]}},
    ],
)
async def test_variables_that_are_wrong_are_the_clients_mistake(
    scope: Scope, variables: dict[str, Any]
) -> None:
    error = await _error(scope, _LIST, **variables)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("file", ["text", 1, True, {}, ["text"]])
async def test_a_file_that_is_none_is_the_clients_mistake(scope: Scope, file: object) -> None:
    query = "mutation ($file: Upload!) { uploadAudio(input: {file: $file})"
    query += " { errors { code field } } }"
    result = await graphql_schema.execute(
        query, context_value=scope, variable_values={"file": file}
    )
    if result.errors:
        assert result.errors[0].extensions
        assert result.errors[0].extensions["code"] == "BAD_USER_INPUT"
    else:
        assert result.data
        assert result.data["uploadAudio"]["errors"][0]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("key", ["", "x", "1:2", "-999:0.5:x", "9e9:1:x", "1:nan:x", "0:inf:\0"])
async def test_a_forged_similarity_cursor_is_the_clients_mistake(scope: Scope, key: str) -> None:
    store, found = scope.parts.store, findings(embedding=embedding(1.0))
    file = await store.audio_files.add(audio_file(scope.owner_id))
    run = analysis(scope.owner_id, file.id, findings=found, status=AnalysisStatus.SUCCEEDED)
    await store.analyses.add([run])
    await store.audio_files.set_analysis(run)
    await scope.parts.vectors.put(file, found)
    query = _SIMILAR.replace("$id: ID!", "$id: ID!, $after: String").replace(
        "}) {", "}, after: $after) {"
    )
    result = await graphql_schema.execute(
        query,
        context_value=scope,
        variable_values={
            "id": encode_id("AudioFile", file.id),
            "after": encode_cursor("similar", key),
        },
    )
    for error in result.errors or []:
        assert error.extensions
        assert error.extensions["code"] == "BAD_USER_INPUT"


async def test_what_is_unexpected_is_numbered_logged_and_hidden(scope: Scope) -> None:
    closed = Store(scope.parts.settings.mongo_url, scope.parts.cache)
    closed.close()
    broken = Scope(replace(scope.parts, store=closed), scope.viewer)
    with structlog.testing.capture_logs() as logs:
        error = await _error(broken, "query Mine { audioFiles { totalCount } }")
    [logged] = [line for line in logs if line["event"] == "operation failed"]
    error_id = error["extensions"].pop("errorId")
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR"}
    assert error["message"] == f"Something went wrong on our side. Its number is {error_id}."
    assert error["path"] == ["audioFiles"]
    assert "Mongo" not in str(error)
    assert (logged["error_id"], logged["operation"]) == (error_id, "Mine")
    assert "MongoClient" in str(logged["exc_info"])


async def test_a_mutation_tells_an_expected_failure_in_its_payload(scope: Scope) -> None:
    query = """mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) {
        deletedId errors { code message field } } }"""
    for id_, code, field in (
        (encode_id("AudioFile", new_id()), "NOT_FOUND", ["id"]),
        (encode_id("BatchJob", new_id()), "BAD_USER_INPUT", ["input", "id"]),
    ):
        result = await graphql_schema.execute(
            query, context_value=scope, variable_values={"id": id_}
        )
        assert result.errors is None
        assert result.data
        payload = result.data["deleteAudioFile"]
        [error] = payload["errors"]
        assert (payload["deletedId"], error["code"], error["field"]) == (None, code, field)
