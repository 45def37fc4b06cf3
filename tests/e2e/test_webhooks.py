"""A webhook of a running server, from its making to what arrives by a real worker."""

import asyncio

from tests.receiver import running_receiver
from tests.server import Server

CREATE = """mutation ($url: String!) { createWebhook(input: {url: $url,
    events: [BATCH_JOB_FINISHED, ANALYSIS_FINISHED]}) { webhook { id } secret } }"""
DELETE = "mutation ($id: ID!) { deleteWebhook(input: {id: $id}) { deletedId } }"


async def test_is_told_of_batches_and_of_what_is_analysed_alone(server: Server) -> None:
    with running_receiver() as receiver:
        receiver.answers = [500]
        made = server.ask(CREATE, url=receiver.url)["createWebhook"]
        try:
            file = server.upload(server.sounds[0], level="DETAILED")
            batch = await server.batch(audioFileIds=[file["audioFile"]["id"]], level="BASIC")
            again = server.ask(
                """mutation ($id: ID!) { analyzeAudio(input: {audioFileId: $id, level: BASIC,
                    force: true}) { analysis { id } } }""",
                id=file["audioFile"]["id"],
            )["analyzeAudio"]["analysis"]
            # One is refused at first, and comes again in ten seconds or so.
            got = [await asyncio.to_thread(receiver.got.get, timeout=30) for _ in range(3)]
        finally:
            server.ask(DELETE, id=made["webhook"]["id"])
    told = [each.verified(made["secret"]) for each in got]
    assert got[0].headers["webhook-id"] == got[2].headers["webhook-id"]
    data = {each["type"]: each["data"] for each in told}
    ended = data["BATCH_JOB_FINISHED"]
    assert (ended["status"], ended["completed"]) == (batch["status"], batch["completed"])
    assert data["ANALYSIS_FINISHED"]["id"] == again["id"]
    assert data["ANALYSIS_FINISHED"]["audioFileId"] == file["audioFile"]["id"]
