"""GraphQL over HTTP: what a request may be, and how it is told where it is wrong."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pymongo
import pytest

from samplemind.domain.ids import new_id
from schema.ids import encode_id
from tests.e2e import sounds
from tests.server import HTTP, Server

JSON = {"content-type": "application/json"}


def post(server: Server, body: bytes | str, **headers: str) -> httpx.Response:
    return HTTP.post(f"{server.url}/graphql", content=body, headers=JSON | headers)


class TestErrors:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("not graphql", "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ audioFiles(first: true) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ audioFiles(first: 99999999999) { totalCount } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ viewer { id } } query B { viewer { id } }", "GRAPHQL_VALIDATION_FAILED"),
            ("{ audioFiles(first: -1) { totalCount } }", "BAD_USER_INPUT"),
            ('{ node(id: "x") { id } }', "BAD_USER_INPUT"),
        ],
    )
    def test_of_a_document_are_coded(self, server: Server, query: str, code: str):
        error = server.refused(query)
        assert error["extensions"]["code"] == code
        assert error["locations"]

    @pytest.mark.parametrize("variables", [{}, {"id": None}, {"id": {}}, {"id": [1]}, {"id": True}])
    def test_of_variables_are_coded(self, server: Server, variables: dict[str, Any]):
        error = server.refused("query ($id: ID!) { node(id: $id) { id } }", **variables)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "$id" in error["message"]

    def test_one_field_may_fail_and_another_not(self, server: Server):
        answer = server.post('{ viewer { username } node(id: "x") { id } }').json()
        assert answer["data"] == {"viewer": {"username": "local"}, "node": None}
        [error] = answer["errors"]
        assert error["path"] == ["node"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["id"]}

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"null",
            b"5",
            b'"{ viewer { id } }"',
            b"[]",
            b'[{"query": "{ viewer { id } }"}]',
            b"{}",
            b'{"query": null}',
            b'{"query": ""}',
            b'{"query": 5}',
            b'{"query": "{ viewer { id } }", "variables": []}',
            b'{"query": "{ viewer { id } }", "variables": "x"}',
            b'{"query": "{ viewer { id } }", "extensions": 5}',
            b'{"query": "query A { viewer { id } }", "operationName": "B"}',
            b'{"query": "query A { viewer { id } }", "operationName": 5}',
            b'{"query": "subscription { batchProgress(batchId: \\"x\\") { sequence } }"}',
            b'{"query": "\\ud800"}',
            b'\xff\xfe{"query": "{ viewer { id } }"}',
            b"[" * 100_000,
        ],
    )
    def test_of_a_request_are_400_and_coded(self, server: Server, body: bytes):
        answer = post(server, body)
        assert answer.status_code == 400, answer.text
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "BAD_REQUEST"
        assert error["message"]

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "", "nonsense"]
    )
    def test_a_body_that_a_page_of_another_site_could_send(self, server: Server, content_type: str):
        body = b'{"query": "{ viewer { id } }"}'
        answer = post(server, body, **{"content-type": content_type})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["code"]

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    def test_another_method(self, server: Server, method: str):
        answer = HTTP.request(method, f"{server.url}/graphql")
        assert answer.status_code == 405
        assert answer.json()["errors"][0]["extensions"]["code"]


class TestGet:
    def get(self, server: Server, **parameters: str) -> httpx.Response:
        headers = {"accept": "application/json"}
        return HTTP.get(f"{server.url}/graphql", params=parameters, headers=headers)

    def test_queries(self, server: Server):
        query = "query ($first: Int) { audioFiles(first: $first) { edges { cursor } } }"
        answer = self.get(server, query=query, variables=json.dumps({"first": 2}))
        assert len(answer.json()["data"]["audioFiles"]["edges"]) == 2

    def test_nothing_that_changes(self, server: Server):
        query = 'mutation { deleteAudioFile(input: {id: "x"}) { deletedId } }'
        answer = self.get(server, query=query)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["code"]

    def test_variables_that_are_not_json(self, server: Server):
        answer = self.get(server, query="{ viewer { id } }", variables="{")
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"]["code"]

    def test_the_explorer_for_browsers(self, server: Server):
        answer = HTTP.get(f"{server.url}/graphql", headers={"accept": "text/html"})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        paths = re.findall(r'(?:src|href)="(/[^"]+)"', answer.text)
        assert paths
        for path in paths:
            assert HTTP.get(f"{server.url}{path}").status_code == 200

    def test_the_root_leads_there(self, server: Server):
        answer = HTTP.get(f"{server.url}/")
        assert answer.is_redirect
        assert answer.headers["location"] == "/graphql"


class TestRequestId:
    def test_of_the_caller_is_echoed(self, server: Server):
        for path in ("/graphql", "/health/live", "/nowhere"):
            answer = HTTP.get(f"{server.url}{path}", headers={"x-request-id": "abc-123"})
            assert answer.headers["x-request-id"] == "abc-123"

    @pytest.mark.parametrize("given", [None, "", "a" * 65, "a b", "<x>", "é"])
    def test_where_there_is_none_or_a_wild_one_it_is_ours(self, server: Server, given: str | None):
        headers = [] if given is None else [(b"x-request-id", given.encode())]
        answers = [HTTP.get(f"{server.url}/health/live", headers=headers) for _ in range(2)]
        made = [answer.headers["x-request-id"] for answer in answers]
        assert made[0] != made[1]
        for each in made:
            assert re.fullmatch("[0-9a-f]{16}", each)


class TestUnexpectedFailures:
    @pytest.fixture
    def damaged(self, server: Server) -> Iterator[str]:
        """The id of an analysis whose document was damaged behind the server's back."""
        id_ = new_id()
        url = server.process("api").environ()["SAMPLEMIND_MONGO_URL"]
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            analyses = client.get_default_database()["analyses"]
            damage = {"_id": id_, "key": f"local:{id_}", "state": f"{id_}:X", "findings": {}}
            analyses.insert_one(damage | {"by_file": f"local:none:{id_}", "level": "secret"})
            yield id_
            analyses.delete_one({"_id": id_})

    def test_have_a_number_and_tell_nothing_else(self, server: Server, damaged: str):
        answer = server.post(
            "query ($id: ID!) { node(id: $id) { id } viewer { username } }",
            id=encode_id("Analysis", damaged),
        ).json()
        assert answer["data"] == {"node": None, "viewer": {"username": "local"}}
        [error] = answer["errors"]
        assert error["extensions"].pop("code") == "INTERNAL_SERVER_ERROR"
        number = error["extensions"].pop("errorId")
        assert re.fullmatch("[0-9a-f]{24}", number)
        assert error["extensions"] == {}
        assert number in error["message"]
        assert not re.search("secret|pydantic|validation|Analysis|Traceback", str(error))


class TestAnalyzeAudio:
    ANALYZE = """
        mutation ($id: ID!, $level: AnalysisLevel, $force: Boolean) {
          analyzeAudio(input: {audioFileId: $id, level: $level, force: $force}) {
            analysis { id level status } errors { code field } } }
    """

    def analyze(self, server: Server, **asked: Any) -> dict[str, Any]:
        payload = server.ask(self.ANALYZE, **asked)["analyzeAudio"]
        assert payload["errors"] == []
        return payload["analysis"]

    async def test_what_is_known_is_not_asked_again(self, server: Server):
        id_ = server.upload(sounds.encoded(sounds.noise(5)))["audioFile"]["id"]
        first = self.analyze(server, id=id_)
        assert first["level"] == "STANDARD"
        assert self.analyze(server, id=id_)["id"] == first["id"]  # under way
        assert (await server.analyzed(id_))["id"] == first["id"]
        done = self.analyze(server, id=id_, level="STANDARD")
        assert done == {**first, "status": "SUCCEEDED"}
        assert self.analyze(server, id=id_, level="BASIC")["id"] == first["id"]

        forced = self.analyze(server, id=id_, level="BASIC", force=True)
        assert forced["id"] != first["id"]
        assert forced["level"] == "BASIC"
        assert (await server.analyzed(id_))["id"] == forced["id"]
        deeper = self.analyze(server, id=id_, level="PROFESSIONAL")
        assert deeper["id"] not in (first["id"], forced["id"])
        assert (await server.analyzed(id_))["id"] == deeper["id"]
        assert self.analyze(server, id=id_, level="DETAILED")["id"] == deeper["id"]

    async def test_a_failed_one_is_asked_again(self, server: Server):
        file = server.upload(sounds.encoded(sounds.tone()))["audioFile"]
        blob = server.data_dir / "blobs" / "local" / file["sha256"][:2] / file["sha256"]
        content = blob.read_bytes()
        blob.unlink()
        first = self.analyze(server, id=file["id"])
        ended = await server.analyzed(file["id"])
        assert (ended["id"], ended["status"]) == (first["id"], "FAILED")
        assert ended["failure"]["code"]
        blob.write_bytes(content)
        again = self.analyze(server, id=file["id"])
        assert again["id"] != first["id"]
        ended = await server.analyzed(file["id"])
        assert (ended["id"], ended["status"]) == (again["id"], "SUCCEEDED")

    @pytest.mark.parametrize(
        ("id_", "code"),
        [("nonsense", "BAD_USER_INPUT"), ("QXVkaW9GaWxlOjAw", "NOT_FOUND")],
    )
    def test_no_such_file(self, server: Server, id_: str, code: str):
        payload = server.ask(self.ANALYZE, id=id_)["analyzeAudio"]
        assert payload["analysis"] is None
        assert payload["errors"][0]["code"] == code
