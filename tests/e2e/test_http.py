"""GraphQL over HTTP: what a request may be, and how it is told where it is wrong."""

import gzip
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
from tests.server import HTTP, UPLOAD, Server

JSON = {"content-type": "application/json"}
GRAPHQL_RESPONSE = "application/graphql-response+json"
VIEWER = b'{"query": "{ viewer { id } }"}'


def post(server: Server, body: bytes | str, **headers: str) -> httpx.Response:
    return HTTP.post(f"{server.url}/graphql", content=body, headers=JSON | headers)


def _refused(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"errors"}
    [error] = body["errors"]
    assert error["extensions"]["code"] == code
    assert error["message"]


def _ids(server: Server, filename: str) -> list[str]:
    """Of the files of that name."""
    files = server.ask(
        "query ($name: String) { audioFiles(filter: {search: $name}) { edges { node { id } } } }",
        name=filename,
    )
    return [edge["node"]["id"] for edge in files["audioFiles"]["edges"]]


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
            b"{}",
            b'{"query": null}',
            b'{"query": ""}',
            b'{"query": 5}',
            b'{"query": "{ viewer { id } }", "variables": []}',
            b'{"query": "{ viewer { id } }", "variables": "x"}',
            b'{"query": "{ viewer { id } }", "extensions": 5}',
            b'{"query": "query A { viewer { id } }", "operationName": 5}',
            b'{"query": "query A { viewer { id } }", "operationName": ["A"]}',
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

    @pytest.mark.parametrize("body", [b"[]", b'[{"query": "{ viewer { id } }"}]'])
    def test_of_a_batch_is_400_and_says_so(self, server: Server, body: bytes):
        _refused(post(server, body), 400, "BATCHING_NOT_SUPPORTED")

    @pytest.mark.parametrize("given", ["B", "", None])
    def test_of_an_operation_that_is_not_there(self, server: Server, given: str | None):
        query = "query A { viewer { id } } query C { viewer { id } }"
        answer = post(server, json.dumps({"query": query, "operationName": given}))
        _refused(answer, 200, "OPERATION_RESOLUTION_FAILURE")

    @pytest.mark.parametrize(
        "body", [b"\xef\xbb\xbf{}", b'{"query": "\xff"}', b'{"query": "\xed\xa0\x80"}']
    )
    def test_of_text_that_is_not_utf_8(self, server: Server, body: bytes):
        _refused(post(server, body), 400, "BAD_REQUEST")

    @pytest.mark.parametrize(
        "content_type",
        [
            "text/plain",
            "application/x-www-form-urlencoded",
            "",
            "nonsense",
            "multipart/mixed; boundary=x",
            "text/plain; application/json",
            "text/plain, application/json",
            "application/json-patch",
            "application/graphql",
            "application/json; charset=utf-16",
        ],
    )
    def test_of_any_other_kind_of_body(self, server: Server, content_type: str):
        answer = post(server, VIEWER, **{"content-type": content_type})
        _refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    def test_of_a_body_that_is_compressed(self, server: Server):
        answer = post(server, gzip.compress(VIEWER), **{"content-encoding": "gzip"})
        _refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "content_type", ["Application/JSON", 'application/json;charset="UTF-8"']
    )
    def test_a_content_type_has_more_than_one_spelling(self, server: Server, content_type: str):
        assert post(server, VIEWER, **{"content-type": content_type}).json()["data"]

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
    def test_of_another_method(self, server: Server, method: str):
        answer = HTTP.request(method, f"{server.url}/graphql")
        _refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET, POST"


class TestStatus:
    """`application/graphql-response+json` tells by its status what happened."""

    @pytest.mark.parametrize(
        ("body", "status", "older"),
        [
            ({"query": "{ viewer { id } }"}, 200, 200),
            ({"query": '{ node(id: "x") { id } }'}, 200, 200),
            ({"query": "{"}, 400, 200),
            ({"query": "{ nothing }"}, 400, 200),
            ({"query": "query ($id: ID!) { node(id: $id) { id } }"}, 400, 200),
            ({"query": "query A { viewer { id } }", "operationName": "B"}, 400, 200),
            ({"query": "subscription { batchProgress(batchId: 1) { sequence } }"}, 400, 400),
            ({"query": None}, 400, 400),
            ([], 400, 400),
        ],
    )
    def test_by_what_happened(self, server: Server, body: Any, status: int, older: int):
        for accept, expected in ((GRAPHQL_RESPONSE, status), ("application/json", older)):
            answer = post(server, json.dumps(body), accept=accept)
            assert answer.status_code == expected, answer.text
            assert answer.headers["content-type"] == f"{accept}; charset=utf-8"
            assert ("data" in answer.json()) == (status == 200)

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            ("", "json"),
            ("*/*", "json"),
            ("application/*", "json"),
            ("application/json", "json"),
            ("APPLICATION/JSON; charset=utf-8", "json"),
            ("application/graphql-response+json", "graphql-response+json"),
            ("application/graphql-response+json, application/json;q=0.9", "graphql-response+json"),
            ("application/json, application/graphql-response+json", "graphql-response+json"),
            ("application/graphql-response+json;q=0.5, */*", "json"),
            ("application/graphql-response+json;q=0, */*;q=0.1", "json"),
            ("text/html, application/json;q=0.1", "json"),
        ],
    )
    def test_the_media_type_is_the_clients_choice(self, server: Server, accept: str, kind: str):
        answer = post(server, VIEWER, accept=accept)
        assert answer.json()["data"]
        assert answer.headers["content-type"] == f"application/{kind}; charset=utf-8"
        assert answer.headers["vary"] == "Accept"

    @pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "x"])
    def test_a_client_that_takes_neither_is_told(self, server: Server, accept: str):
        name = f"{new_id()}.wav"
        assert server.upload(sounds.encoded(sounds.tone()), name)["errors"] == []
        [id_] = _ids(server, name)
        query = f'mutation {{ deleteAudioFile(input: {{id: "{id_}"}}) {{ deletedId }} }}'
        answer = post(server, json.dumps({"query": query}), accept=accept)
        _refused(answer, 406, "NOT_ACCEPTABLE")
        assert _ids(server, name) == [id_]


class TestForgery:
    """What a page of another site could send without our leave changes nothing."""

    OPERATIONS = json.dumps({"query": UPLOAD, "variables": {"file": None}})

    def send(self, server: Server, **headers: str) -> httpx.Response:
        return HTTP.post(
            f"{server.url}/graphql",
            data={"operations": self.OPERATIONS, "map": '{"0": ["variables.file"]}'},
            files={"0": (f"{new_id()}.wav", sounds.encoded(sounds.tone()))},
            headers=headers,
        )

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"apollo-require-preflight": ""},
            {"accept": "application/json", "content-language": "apollo-require-preflight"},
        ],
    )
    def test_a_form_alone_is_refused(self, server: Server, headers: dict[str, str]):
        before = server.ask("{ libraryStats { audioFiles } }")
        _refused(self.send(server, **headers), 403, "CSRF_PREVENTED")
        assert server.ask("{ libraryStats { audioFiles } }") == before

    @pytest.mark.parametrize("name", ["apollo-require-preflight", "x-apollo-operation-name"])
    def test_a_header_that_needs_our_leave_lets_it_through(self, server: Server, name: str):
        payload = self.send(server, **{name: "1"}).json()["data"]["uploadAudio"]
        assert payload["errors"] == []


class TestGet:
    def get(self, server: Server, **parameters: str) -> httpx.Response:
        headers = {"accept": "application/json"}
        return HTTP.get(f"{server.url}/graphql", params=parameters, headers=headers)

    def test_queries(self, server: Server):
        query = "query ($first: Int) { audioFiles(first: $first) { edges { cursor } } }"
        answer = self.get(server, query=query, variables=json.dumps({"first": 2}))
        assert len(answer.json()["data"]["audioFiles"]["edges"]) == 2

    def test_what_is_empty_is_not_given(self, server: Server):
        query = "query A { viewer { id } }"
        answer = self.get(server, query=query, variables="", operationName="", extensions="")
        assert answer.json()["data"]["viewer"]

    @pytest.mark.parametrize("accept", [GRAPHQL_RESPONSE, "application/json", "*/*"])
    def test_nothing_that_changes(self, server: Server, accept: str):
        name = f"{new_id()}.wav"
        assert server.upload(sounds.encoded(sounds.tone()), name)["errors"] == []
        [id_] = _ids(server, name)
        query = f"""
            query A {{ viewer {{ id }} }}
            mutation B {{ deleteAudioFile(input: {{id: "{id_}"}}) {{ deletedId }} }}
        """
        parameters = {"query": query, "operationName": "B"}
        answer = HTTP.get(f"{server.url}/graphql", params=parameters, headers={"accept": accept})
        _refused(answer, 405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "POST"
        assert _ids(server, name) == [id_]

    @pytest.mark.parametrize(
        "parameters",
        [
            {},
            {"query": ""},
            {"query": "{ viewer { id } }", "variables": "[]"},
            {"query": "{ viewer { id } }", "variables": "5"},
            {"query": "{ viewer { id } }", "extensions": "{"},
            {"query": "{ viewer { id } }", "extensions": '"x"'},
            {"query": "subscription { batchProgress(batchId: 1) { sequence } }"},
        ],
    )
    def test_what_is_malformed(self, server: Server, parameters: dict[str, str]):
        _refused(self.get(server, **parameters), 400, "BAD_REQUEST")

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
        with server.without_bytes(file):
            first = self.analyze(server, id=file["id"])
            ended = await server.analyzed(file["id"])
        assert (ended["id"], ended["status"]) == (first["id"], "FAILED")
        assert ended["failure"]["code"]
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
