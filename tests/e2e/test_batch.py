"""Batch jobs: choosing files, counting to the end, failing, retrying, cancelling."""

import asyncio
import base64
import contextlib
import uuid
from collections import Counter
from typing import Any

import pytest

from tests.e2e import sounds
from tests.server import Server

BATCH = "fragment Batch on BatchJob { id status level total completed failed createdAt finishedAt }"

CREATE = (
    """mutation ($input: CreateBatchJobInput!) {
    payload: createBatchJob(input: $input) {
      batchJob { ...Batch } errors { code field message } } }"""
    + BATCH
)
CANCEL = (
    """mutation ($id: ID!) {
    payload: cancelBatchJob(input: {id: $id}) { batchJob { ...Batch } errors { code field } } }"""
    + BATCH
)
RETRY = (
    """mutation ($id: ID!) {
    payload: retryBatchJob(input: {id: $id}) { batchJob { ...Batch } errors { code field } } }"""
    + BATCH
)
READ = "query ($id: ID!) { node(id: $id) { ...Batch } }" + BATCH

ITEMS = """
query ($id: ID!, $status: AnalysisStatus, $first: Int, $after: String, $last: Int,
       $before: String) {
  node(id: $id) { ... on BatchJob {
    items(status: $status, first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node {
        status failure { code message } audioFile { id }
        analysis { id level status failure { code } loudness { integratedLufs } beats }
      } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    } } }
}
"""

PROGRESS = """
subscription ($id: ID!) { batchProgress(batchId: $id) {
  sequence batchJob { status total completed failed } } }
"""


def unknown(type_name: str) -> str:
    return base64.urlsafe_b64encode(f"{type_name}:{'0' * 24}".encode()).decode().rstrip("=")


def uploaded(server: Server, count: int, tag: str | None = None) -> list[dict[str, Any]]:
    tags = [tag] if tag else None
    payloads = [server.upload(sounds.encoded(sounds.tone()), tags=tags) for _ in range(count)]
    return [payload["audioFile"] for payload in payloads]


def ids(files: list[dict[str, Any]]) -> list[str]:
    return [file["id"] for file in files]


def create(server: Server, **given: Any) -> dict[str, Any]:
    payload = server.ask(CREATE, input=given)["payload"]
    assert payload["errors"] == []
    return payload["batchJob"]


def items(server: Server, id_: str, **asked: Any) -> list[dict[str, Any]]:
    """The nodes of all pages."""
    found, after = [], None
    while True:
        page = server.ask(ITEMS, id=id_, first=200, after=after, **asked)["node"]["items"]
        found += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def ended(server: Server, id_: str) -> dict[str, Any]:
    """Waits for the end; the batch job as it is read then."""
    async for _ in server.watch(PROGRESS, id=id_):
        pass
    batch = server.ask(READ, id=id_)["node"]
    assert batch["finishedAt"] >= batch["createdAt"]
    return batch


class TestChoosing:
    async def test_by_ids_in_their_order(self, server: Server):
        files = uploaded(server, 4)
        asked = [ids(files)[n] for n in (2, 0, 3, 2, 1, 0)]
        batch = create(server, audioFileIds=asked, level="BASIC")
        assert (batch["total"], batch["level"]) == (4, "BASIC")
        assert batch["status"] in ("QUEUED", "RUNNING")
        assert batch["finishedAt"] is None

        done = await ended(server, batch["id"])

        assert (done["status"], done["completed"], done["failed"]) == ("SUCCEEDED", 4, 0)
        found = items(server, batch["id"])
        assert [item["audioFile"]["id"] for item in found] == [ids(files)[n] for n in (2, 0, 3, 1)]
        for item in found:
            assert item["status"] == item["analysis"]["status"] == "SUCCEEDED"
            assert item["analysis"]["level"] == "BASIC"
            assert item["failure"] is item["analysis"]["loudness"] is None

    async def test_by_a_filter_in_upload_order(self, server: Server):
        tag = uuid.uuid4().hex
        files = uploaded(server, 3, tag)
        batch = create(server, filter={"tags": [tag], "analyzed": False}, level="DETAILED")
        assert (await ended(server, batch["id"]))["status"] == "SUCCEEDED"
        found = items(server, batch["id"])
        assert [item["audioFile"]["id"] for item in found] == ids(files)
        for item in found:
            assert item["analysis"]["level"] == "DETAILED"
            assert item["analysis"]["loudness"] is not None
        again = server.ask(CREATE, input={"filter": {"tags": [tag], "analyzed": False}})["payload"]
        assert again["errors"][0]["code"] == "BAD_USER_INPUT"

    async def test_standard_by_default(self, server: Server):
        batch = create(server, audioFileIds=ids(uploaded(server, 1)))
        assert batch["level"] == "STANDARD"
        await ended(server, batch["id"])

    @pytest.mark.parametrize(
        ("given", "code", "field"),
        [
            ({}, "BAD_USER_INPUT", ["input", "audioFileIds"]),
            ({"audioFileIds": None, "filter": None}, "BAD_USER_INPUT", ["input", "audioFileIds"]),
            ({"audioFileIds": [], "filter": {}}, "BAD_USER_INPUT", ["input", "audioFileIds"]),
            ({"audioFileIds": []}, "BAD_USER_INPUT", ["input", "audioFileIds"]),
            ({"audioFileIds": ["x"]}, "BAD_USER_INPUT", ["input", "audioFileIds"]),
            ({"audioFileIds": [unknown("User")]}, "BAD_USER_INPUT", ["input", "audioFileIds"]),
            ({"audioFileIds": [unknown("AudioFile")]}, "NOT_FOUND", ["input", "audioFileIds"]),
            ({"filter": {"tags": ["nobody has this"]}}, "BAD_USER_INPUT", ["input", "filter"]),
        ],
    )
    def test_what_chooses_nothing(
        self, server: Server, given: dict[str, Any], code: str, field: list[str]
    ):
        count = "{ batchJobs(first: 0) { totalCount } }"
        before = server.ask(count)
        payload = server.ask(CREATE, input=given)["payload"]
        assert payload["batchJob"] is None
        [error] = payload["errors"]
        assert (error["code"], error["field"]) == (code, field)
        assert error["message"]
        assert server.ask(count) == before

    async def test_the_same_request_twice_is_one_batch(self, server: Server):
        files = ids(uploaded(server, 2))
        given = {"audioFileIds": files, "level": "BASIC", "idempotencyKey": uuid.uuid4().hex}
        payloads = await asyncio.gather(
            *(asyncio.to_thread(create, server, **given) for _ in range(5))
        )
        [id_] = {batch["id"] for batch in payloads}
        assert (await ended(server, id_))["status"] == "SUCCEEDED"
        assert create(server, **given | {"audioFileIds": files[:1]})["id"] == id_
        query = """query ($id: ID!) {
            node(id: $id) { ... on AudioFile { analyses { edges { cursor } } } } }"""
        for file in files:
            assert len(server.ask(query, id=file)["node"]["analyses"]["edges"]) == 1
        other = create(server, **given | {"idempotencyKey": uuid.uuid4().hex})
        assert other["id"] != id_
        await ended(server, other["id"])


class TestItems:
    async def test_pages_both_ways(self, server: Server):
        files = uploaded(server, 5)
        batch = create(server, audioFileIds=ids(files), level="BASIC")
        await ended(server, batch["id"])

        def page(**asked: Any) -> dict[str, Any]:
            return server.ask(ITEMS, id=batch["id"], **asked)["node"]["items"]

        whole = page()["edges"]
        assert len(whole) == 5
        first = page(first=2)
        second = page(first=2, after=first["pageInfo"]["endCursor"])
        third = page(first=2, after=second["pageInfo"]["endCursor"])
        assert first["edges"] + second["edges"] + third["edges"] == whole
        pages = (first, second, third)
        assert [each["pageInfo"]["hasNextPage"] for each in pages] == [True, True, False]
        last = page(last=2)
        middle = page(last=2, before=last["pageInfo"]["startCursor"])
        assert middle["edges"] + last["edges"] == whole[1:]
        assert middle["pageInfo"]["hasPreviousPage"]
        assert page(status="SUCCEEDED", first=2)["edges"] == whole[:2]
        assert page(status="FAILED")["edges"] == []
        error = server.refused(ITEMS, id=batch["id"], after="x")
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": ["after"]}


class TestFailing:
    async def test_one_fails_and_is_retried(self, server: Server):
        files = uploaded(server, 3)
        with server.without_bytes(files[1]):
            batch = create(server, audioFileIds=ids(files))
            done = await ended(server, batch["id"])

        assert (done["status"], done["completed"], done["failed"]) == ("PARTIAL", 2, 1)
        states = [item["status"] for item in items(server, batch["id"])]
        assert states == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
        [failed] = items(server, batch["id"], status="FAILED")
        assert failed["audioFile"]["id"] == files[1]["id"]
        assert failed["failure"]["code"]
        assert str(server.data_dir) not in failed["failure"]["message"]
        assert failed["analysis"]["failure"]["code"] == failed["failure"]["code"]
        assert len(items(server, batch["id"], status="SUCCEEDED")) == 2

        payload = server.ask(RETRY, id=batch["id"])["payload"]
        assert payload["errors"] == []
        assert payload["batchJob"]["failed"] == 0
        assert payload["batchJob"]["status"] == "RUNNING"
        done = await ended(server, batch["id"])

        assert (done["status"], done["completed"], done["failed"]) == ("SUCCEEDED", 3, 0)
        assert {item["status"] for item in items(server, batch["id"])} == {"SUCCEEDED"}
        assert all(item["failure"] is None for item in items(server, batch["id"]))
        [error] = server.ask(RETRY, id=batch["id"])["payload"]["errors"]
        assert error["code"] == "NOTHING_TO_RETRY"

    async def test_all_fail(self, server: Server):
        files = uploaded(server, 2)
        with server.without_bytes(*files):
            batch = create(server, audioFileIds=ids(files))
            done = await ended(server, batch["id"])
        assert (done["status"], done["completed"], done["failed"]) == ("FAILED", 0, 2)
        query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { analysis { id } } } }"
        assert server.ask(query, id=files[0]["id"])["node"]["analysis"] is None

    def test_a_batch_that_is_not_there(self, server: Server):
        for mutation in (RETRY, CANCEL):
            payload = server.ask(mutation, id=unknown("BatchJob"))["payload"]
            assert payload["batchJob"] is None
            assert payload["errors"][0]["code"] == "NOT_FOUND"


class TestCancelling:
    async def test_a_running_batch(self, server: Server):
        """What had ended keeps its results, what ran ends by itself, the rest is cancelled."""
        files = uploaded(server, 40)
        batch = create(server, audioFileIds=ids(files), level="DETAILED")
        watching = server.watch(PROGRESS, id=batch["id"])
        async with contextlib.aclosing(watching):
            async for event in watching:
                if event["batchProgress"]["batchJob"]["completed"]:
                    break

        payload = server.ask(CANCEL, id=batch["id"])["payload"]

        assert payload["errors"] == []
        done = await ended(server, batch["id"])
        assert done["status"] == "CANCELLED"
        assert done["completed"] >= 1
        found = items(server, batch["id"])
        counts = Counter(item["status"] for item in found)
        assert {*counts} <= {"SUCCEEDED", "CANCELLED"}
        assert counts["SUCCEEDED"] == done["completed"]
        assert counts["CANCELLED"] >= 20
        assert counts.total() == done["total"] == 40
        assert len(items(server, batch["id"], status="CANCELLED")) == counts["CANCELLED"]
        for item in found:
            has_result = item["analysis"]["loudness"] is not None
            assert has_result == (item["status"] == "SUCCEEDED")
        # Nothing of it is analysed later on.
        await ended(server, create(server, audioFileIds=ids(files)[-1:], level="BASIC")["id"])
        assert Counter(item["status"] for item in items(server, batch["id"])) == counts
        [error] = server.ask(CANCEL, id=batch["id"])["payload"]["errors"]
        assert error["code"] == "BATCH_FINISHED"
        [error] = server.ask(RETRY, id=batch["id"])["payload"]["errors"]
        assert error["code"] == "NOTHING_TO_RETRY"

    async def test_what_has_ended(self, server: Server):
        batch = create(server, audioFileIds=ids(uploaded(server, 1)), level="BASIC")
        await ended(server, batch["id"])
        payload = server.ask(CANCEL, id=batch["id"])["payload"]
        assert payload["batchJob"] is None
        assert payload["errors"] == [{"code": "BATCH_FINISHED", "field": ["id"]}]
        assert server.ask(READ, id=batch["id"])["node"]["status"] == "SUCCEEDED"


class TestDeletedFiles:
    DELETE = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { errors { code } } }"

    async def test_after_the_end(self, server: Server):
        files = uploaded(server, 2)
        batch = create(server, audioFileIds=ids(files))
        before = await ended(server, batch["id"])
        server.ask(self.DELETE, id=files[0]["id"])
        assert server.ask(READ, id=batch["id"])["node"] == before
        gone, kept = items(server, batch["id"])
        assert (gone["audioFile"], gone["analysis"], gone["status"]) == (None, None, "SUCCEEDED")
        assert kept["audioFile"]["id"] == files[1]["id"]

    async def test_before_its_turn(self, server: Server):
        """It still counts, so the batch comes to its end."""
        files = uploaded(server, 12)
        batch = create(server, audioFileIds=ids(files), level="DETAILED")
        server.ask(self.DELETE, id=files[-1]["id"])
        done = await ended(server, batch["id"])
        assert (done["status"], done["completed"], done["failed"]) == ("PARTIAL", 11, 1)
        [failed] = items(server, batch["id"], status="FAILED")
        assert failed["audioFile"] is failed["analysis"] is None
        assert failed["failure"]["code"] == "AUDIO_FILE_DELETED"
        assert items(server, batch["id"])[-1] == failed
