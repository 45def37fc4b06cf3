"""Operations named by a hash: found again, checked against their text, or refused."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis
from graphql import GraphQLError

from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from samplemind.refusal import CannotStart
from samplemind.server.persisted import PersistedDocuments
from samplemind.trusted import trusted_documents


@pytest.fixture
def text() -> str:
    """One that nobody has sent yet."""
    return f"query Q{new_id()} {{ __typename }}"


@pytest.fixture
def documents(parts: Parts) -> PersistedDocuments:
    return PersistedDocuments(parts.events.redis, lambda text: "__typename" in text)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def by_id(id_: Any, query: str | None = None) -> dict[str, Any]:
    return {"documentId": id_, "query": query}


def by_apollo(hash_: Any, query: str | None = None, version: Any = 1) -> dict[str, Any]:
    persisted = {"version": version, "sha256Hash": hash_}
    return {"extensions": {"persistedQuery": persisted}, "query": query}


async def refused(documents: PersistedDocuments, parameters: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(GraphQLError) as caught:
        await documents.text(parameters)
    assert caught.value.extensions
    return caught.value.extensions["code"], caught.value.message


NOT_FOUND = ("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


class TestHashes:
    async def test_none_is_needed(self, documents: PersistedDocuments, text: str):
        assert await documents.text({"query": text}) == text
        assert await documents.text({"query": ""}) is None
        assert await documents.text({"extensions": {"tracing": True}}) is None

    @pytest.mark.parametrize("name", [by_id, by_apollo])
    async def test_are_known_once_the_text_was_sent(
        self, documents: PersistedDocuments, text: str, name: Any
    ):
        assert await refused(documents, name(sha256(text))) == NOT_FOUND
        assert await documents.text(name(sha256(text), text)) == text
        assert await documents.text(by_id(sha256(text))) == text
        assert await documents.text(by_id(f"sha256:{sha256(text)}")) == text
        assert await documents.text(by_apollo(sha256(text))) == text

    async def test_are_forgotten_in_time(
        self, documents: PersistedDocuments, parts: Parts, text: str
    ):
        await documents.text(by_id(sha256(text), text))
        key = f"document:{sha256(text)}"
        await parts.events.redis.expire(key, 10)
        assert await documents.text(by_id(sha256(text))) == text
        assert await parts.events.redis.ttl(key) > 60 * 60

    @pytest.mark.parametrize("name", [by_id, by_apollo])
    async def test_that_are_of_another_text_are_refused(
        self, documents: PersistedDocuments, text: str, name: Any
    ):
        code, message = await refused(documents, name(sha256(text), text + " "))
        assert code == "PERSISTED_QUERY_HASH_MISMATCH"
        assert "does not match" in message
        for other in (text, text + " "):
            assert await refused(documents, name(sha256(other))) == NOT_FOUND

    @pytest.mark.parametrize("id_", ["", "x", "0" * 63, "A" * 64, "sha1:" + "0" * 40, 5, {}, ["a"]])
    async def test_that_are_none_are_refused(self, documents: PersistedDocuments, id_: Any):
        assert (await refused(documents, by_id(id_)))[0] == "BAD_REQUEST"
        assert (await refused(documents, by_apollo(id_)))[0] == "BAD_REQUEST"

    @pytest.mark.parametrize("version", [None, 2, "1"])
    async def test_of_another_protocol_are_not_supported(
        self, documents: PersistedDocuments, text: str, version: Any
    ):
        refusal = await refused(documents, by_apollo(sha256(text), text, version))
        assert refusal == ("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")

    async def test_of_what_cannot_run_are_not_kept(self, documents: PersistedDocuments):
        for wrong in ("query { nonsense }" + new_id(), "{ __typename } #" + "x" * 100_000):
            assert await documents.text(by_id(sha256(wrong), wrong)) == wrong
            assert await refused(documents, by_id(sha256(wrong))) == NOT_FOUND

    async def test_without_redis_the_text_is_asked_for(self, text: str):
        async with redis.Redis.from_url("redis://127.0.0.1:1") as gone:
            documents = PersistedDocuments(gone, lambda _: True)
            assert await refused(documents, by_id(sha256(text))) == NOT_FOUND
            assert await documents.text(by_id(sha256(text), text)) == text


class TestTrusted:
    TEXT = "query Mine { viewer { id } }"

    @pytest.fixture
    def documents(self, parts: Parts) -> PersistedDocuments:
        return PersistedDocuments(parts.events.redis, lambda _: True, {"md5-or-any": self.TEXT})

    async def test_are_run_by_id_or_by_their_very_text(self, documents: PersistedDocuments):
        for asked in (by_id("md5-or-any"), by_apollo("md5-or-any"), {"query": self.TEXT}):
            assert await documents.text(asked) == self.TEXT
        assert await documents.text(by_apollo(sha256(self.TEXT), self.TEXT)) == self.TEXT
        assert await documents.text({}) is None

    async def test_nothing_else_is(self, documents: PersistedDocuments, text: str):
        for asked in (
            {"query": text},
            {"query": self.TEXT + " "},
            by_id("md5-or-any", text),
            by_id(sha256(text)),
            by_apollo(sha256(text)),
            by_apollo(sha256(text), text),
        ):
            code, message = await refused(documents, asked)
            assert code == "DOCUMENT_NOT_TRUSTED"
            assert message


MAP = {"a1": "query A { viewer { id } }"}
APOLLO = {
    "format": "apollo-persisted-query-manifest",
    "version": 1,
    "operations": [{"id": "a1", "name": "A", "type": "query", "body": MAP["a1"]}],
}


class TestLists:
    @pytest.mark.parametrize("content", [MAP, APOLLO, {"sha256:a1": MAP["a1"]}])
    def test_of_builds_are_read(self, tmp_path: Path, content: Any):
        path = tmp_path / "documents.json"
        path.write_text(json.dumps(content))
        assert trusted_documents(path) == MAP
        assert trusted_documents(None) is None

    @pytest.mark.parametrize(
        "content",
        ["", "{", "[]", "null", "5", "{}", '{"a": 1}', '{"a": null}']
        + [json.dumps(APOLLO | {"operations": wrong}) for wrong in ([], [{}], None, [5])],
    )
    def test_that_are_none_are_named(self, tmp_path: Path, content: str):
        path = tmp_path / "documents.json"
        path.write_text(content)
        with pytest.raises(CannotStart, match="SAMPLEMIND_TRUSTED_DOCUMENTS") as caught:
            trusted_documents(path)
        assert str(path) in str(caught.value)

    def test_that_are_missing_are_named(self, tmp_path: Path):
        with pytest.raises(CannotStart, match="No such file"):
            trusted_documents(tmp_path / "documents.json")
