"""Asks what ../library.graphql asks in gql's DSL, against the schema that the server tells, and
follows a batch over a WebSocket; prints the answers."""

import asyncio
import json
import os

from gql import Client
from gql.dsl import DSLMutation, DSLQuery, DSLSchema, DSLSubscription, dsl_gql
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

URL = os.environ["SERVER"] + "/graphql"
CHOSEN = {
    "tags": [os.environ["TAG"]],
    "kinds": ["ONE_SHOT"],
    "uploadedAt": {"from": "2020-01-01T00:00:00Z"},
}


def library(ds: DSLSchema) -> DSLQuery:
    file, analysis = ds.AudioFile, ds.Analysis
    order = {"field": "FILENAME", "direction": "ASC"}
    return DSLQuery(
        ds.Query.audioFiles(first=2, filter=CHOSEN, orderBy=order).select(
            ds.AudioFileConnection.edges.select(
                ds.AudioFileEdge.node.select(
                    file.id,
                    file.filename,
                    file.uploadedAt,
                    file.metadata,
                    file.owner.select(ds.User.username, ds.User.role),
                    file.analysis.select(
                        analysis.kind,
                        analysis.level,
                        analysis.labels.select(ds.Label.name, ds.Label.score),
                    ),
                )
            )
        )
    )


def similar(ds: DSLSchema, id_: str) -> DSLQuery:
    return DSLQuery(
        ds.Query.similarTo(target={"audioFileId": id_}, first=2).select(
            ds.SimilarAudioFileConnection.edges.select(
                ds.SimilarAudioFileEdge.score,
                ds.SimilarAudioFileEdge.node.select(ds.AudioFile.id),
            )
        )
    )


def batch(ds: DSLSchema) -> DSLMutation:
    return DSLMutation(
        ds.Mutation.createBatchJob(input={"filter": CHOSEN, "level": "STANDARD"}).select(
            ds.BatchJobPayload.batchJob.select(ds.BatchJob.id),
            ds.BatchJobPayload.errors.select(ds.UserError.code),
        )
    )


def progress(ds: DSLSchema, id_: str) -> DSLSubscription:
    return DSLSubscription(
        ds.Subscription.batchProgress(batchId=id_, afterSequence=0).select(
            ds.BatchProgress.sequence,
            ds.BatchProgress.batchJob.select(ds.BatchJob.status, ds.BatchJob.completed),
        )
    )


async def main() -> None:
    transport = HTTPXAsyncTransport(URL)
    async with Client(transport=transport, fetch_schema_from_transport=True) as session:
        schema = session.client.schema
        assert schema is not None
        ds = DSLSchema(schema)
        answers = await session.execute(dsl_gql(library(ds)))
        seed = answers["audioFiles"]["edges"][0]["node"]["id"]
        answers |= await session.execute(dsl_gql(similar(ds, seed)))
        made = await session.execute(dsl_gql(batch(ds)))
        batch_id = made["createBatchJob"]["batchJob"]["id"]
    live = Client(transport=WebsocketsTransport(URL.replace("http", "ws", 1)), schema=schema)
    async with live as session:
        followed = session.subscribe(dsl_gql(progress(ds, batch_id)))
        answers["progress"] = [event["batchProgress"] async for event in followed]
    print(json.dumps(answers))


asyncio.run(main())
