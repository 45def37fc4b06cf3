"""Changing and deleting a file: what is changed or gone is so everywhere."""

import base64
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import sounds
from tests.server import Server

UPDATE = """
mutation ($id: ID!, $filename: String, $tags: [String!]) {
  updateAudioFile(input: {id: $id, filename: $filename, tags: $tags}) {
    audioFile { id filename tags } errors { code field }
  }
}
"""

DELETE = """
mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { deletedId errors { code field } } }
"""

UNKNOWN = base64.urlsafe_b64encode(b"AudioFile:" + b"0" * 24).decode().rstrip("=")


class Pair:
    """Two analysed sounds: one to change, and one to look at it from."""

    def __init__(self, server: Server, file: dict[str, Any], other: str) -> None:
        self.server, self.file, self.id, self.other = server, file, file["id"], other

    @property
    def blob(self) -> Path:
        return self.server.blob(self.file)

    def listed(self, **filter_: Any) -> bool:
        query = """query ($f: AudioFileFilter) {
            audioFiles(filter: $f, first: 200) { totalCount edges { node { id } } } }"""
        found = self.server.ask(query, f=filter_)["audioFiles"]
        assert found["totalCount"] == len(found["edges"])
        return self.id in [edge["node"]["id"] for edge in found["edges"]]

    def similar(self, **filter_: Any) -> bool:
        query = """query ($id: ID!, $f: AudioFileFilter) {
            similarTo(target: {audioFileId: $id}, filter: $f, first: 200) {
              edges { node { id } } } }"""
        found = self.server.ask(query, id=self.other, f=filter_)["similarTo"]
        return self.id in [edge["node"]["id"] for edge in found["edges"]]

    def found(self, **filter_: Any) -> bool:
        """Whether list and similarity find it, who must agree."""
        listed = self.listed(**filter_)
        assert self.similar(**filter_) == listed
        return listed

    def update(self, **change: Any) -> dict[str, Any]:
        payload = self.server.ask(UPDATE, id=self.id, **change)["updateAudioFile"]
        assert payload["errors"] == []
        query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { id filename tags } } }"
        assert self.server.ask(query, id=self.id)["node"] == payload["audioFile"]
        return payload["audioFile"]


@pytest.fixture
async def pair(server: Server) -> AsyncIterator[Pair]:
    contents = [sounds.encoded(sounds.tone(hertz)) for hertz in (220, 230)]
    made = [
        server.upload(content, "zebra one.wav", tags=["old"], level="STANDARD")["audioFile"]
        for content in contents
    ]
    for file in made:
        assert (await server.analyzed(file["id"]))["status"] == "SUCCEEDED"
    yield Pair(server, made[0], made[1]["id"])
    for file in made:
        server.ask(DELETE, id=file["id"])


class TestUpdate:
    def test_a_new_name_and_tags_are_found_and_the_old_are_not(self, pair: Pair):
        word = f"w{uuid.uuid4().hex}"
        assert pair.found(search="zebra", tags=["old"])
        assert not pair.found(search=word)

        changed = pair.update(filename=f"{word} two.wav", tags=["new", f"{word} tag"])

        assert changed["filename"] == f"{word} two.wav"
        assert changed["tags"] == ["new", f"{word} tag"]
        assert pair.found(search=f"{word} two")
        assert pair.found(tags=["new", f"{word} tag"])
        assert not pair.found(search="zebra")
        assert not pair.found(tags=["old"])

    def test_what_is_null_stays(self, pair: Pair):
        assert pair.update(tags=["a", "b"])["filename"] == "zebra one.wav"
        assert pair.update(filename="lion.wav")["tags"] == ["a", "b"]
        assert pair.update()["filename"] == "lion.wav"
        assert pair.found(search="lion", tags=["a", "b"])

    def test_no_tags(self, pair: Pair):
        assert pair.update(tags=[])["tags"] == []
        assert pair.found(search="zebra")
        assert not pair.found(tags=["old"])

    def test_names_are_cleaned(self, pair: Pair):
        changed = pair.update(filename="../../e\u202etc\x00.wav", tags=[" a  b ", "a b", ""])
        assert changed["filename"] == "etc.wav"
        assert changed["tags"] == ["a b"]

    def test_tags_that_cannot_be(self, server: Server, pair: Pair):
        for tags in (["x" * 61], [str(n) for n in range(51)], ["a\x00b"]):
            [error] = server.ask(UPDATE, id=pair.id, tags=tags)["updateAudioFile"]["errors"]
            assert error == {"code": "BAD_USER_INPUT", "field": ["input", "tags"]}
        assert pair.found(tags=["old"])

    def test_a_file_that_is_not_there(self, server: Server):
        payload = server.ask(UPDATE, id=UNKNOWN, filename="x")["updateAudioFile"]
        assert payload["audioFile"] is None
        assert payload["errors"][0]["code"] == "NOT_FOUND"


class TestDelete:
    def test_is_gone_everywhere(self, server: Server, pair: Pair):
        query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { analysis { id } } } }"
        analysis = server.ask(query, id=pair.id)["node"]["analysis"]["id"]
        assert pair.found(search="zebra")
        assert pair.blob.exists()

        payload = server.ask(DELETE, id=pair.id)["deleteAudioFile"]

        assert payload == {"deletedId": pair.id, "errors": []}
        assert not pair.found(search="zebra")
        assert not pair.blob.exists()
        gone = server.ask(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[pair.id, analysis]
        )
        assert gone["nodes"] == [None, None]
        similar = "query ($id: ID!) { similarTo(target: {audioFileId: $id}) { edges { cursor } } }"
        assert server.refused(similar, id=pair.id)["extensions"]["code"] == "NOT_FOUND"
        update = server.ask(UPDATE, id=pair.id, filename="x")["updateAudioFile"]
        assert update["errors"][0]["code"] == "NOT_FOUND"
        analyze = (
            "mutation ($id: ID!) { analyzeAudio(input: {audioFileId: $id}) { errors { code } } }"
        )
        answer = server.ask(analyze, id=pair.id)["analyzeAudio"]
        assert answer["errors"][0]["code"] == "NOT_FOUND"

    def test_a_second_time(self, server: Server, pair: Pair):
        server.ask(DELETE, id=pair.id)
        payload = server.ask(DELETE, id=pair.id)["deleteAudioFile"]
        assert payload["deletedId"] is None
        assert payload["errors"][0]["code"] == "NOT_FOUND"

    async def test_the_same_bytes_can_come_back(self, server: Server):
        content = sounds.encoded(sounds.tone(233))
        first = server.upload(content, "one.wav", tags=["old"], level="STANDARD")["audioFile"]
        assert (await server.analyzed(first["id"]))["status"] == "SUCCEEDED"
        server.ask(DELETE, id=first["id"])
        again = server.upload(content, "two.wav", level="STANDARD")
        assert again["audioFile"]["id"] != first["id"]
        assert again["audioFile"]["filename"] == "two.wav"
        assert again["audioFile"]["tags"] == []
        assert (await server.analyzed(again["audioFile"]["id"]))["status"] == "SUCCEEDED"
