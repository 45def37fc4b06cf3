"""Which transport a client gets, by what it accepts and what it asks."""

import pytest
from graphql import DocumentNode, GraphQLSyntaxError, parse
from strawberry.types.graphql import OperationType

from samplemind.server.streaming import transport_for
from samplemind.server.transports import (
    Deferred,
    Deferred20220824,
    MultipartSubscription,
    ServerSentEvents,
    Transport,
)

SSE = "text/event-stream"
SUBSCRIPTION = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0"
LATEST = "multipart/mixed;incrementalSpec=v0.2"
EARLIER = "multipart/mixed;deferSpec=20220824"
JSON = "application/graphql-response+json, application/json;q=0.9"
URQL = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"

WATCHING = "subscription { analysisUpdated(audioFileId: 1) { id } }"
DEFERRING = "{ viewer { ... @defer { id } } }"
READING = '{ viewer { id } node(id: "@defer") { id } }'
WRITING = "mutation { logOut { errors { code } } }"


def _parsed(query: str) -> DocumentNode | None:
    try:
        return parse(query)
    except GraphQLSyntaxError:
        return None


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        (SSE, WATCHING, ServerSentEvents),
        (SSE.upper(), WATCHING, ServerSentEvents),
        (f"{SSE}; charset=utf-8", WATCHING, ServerSentEvents),
        (SSE, READING, ServerSentEvents),
        (SSE, DEFERRING, ServerSentEvents),
        (SSE, "{", ServerSentEvents),
        (f"{SSE};q=0", WATCHING, None),
        (f"{SUBSCRIPTION}, {JSON}", WATCHING, MultipartSubscription),
        ('multipart/mixed;subscriptionSpec="1.0"', WATCHING, MultipartSubscription),
        ("multipart/mixed;subscriptionSpec=2.0", WATCHING, None),
        (f"{SUBSCRIPTION}, {JSON}", READING, None),
        (f"{SUBSCRIPTION}, {JSON}", DEFERRING, None),
        (SUBSCRIPTION, READING, MultipartSubscription),
        (f"{SUBSCRIPTION};q=0.5, {SSE};q=0.9", WATCHING, ServerSentEvents),
        (f"{SSE}, {SUBSCRIPTION}", WATCHING, ServerSentEvents),
        (f"{SUBSCRIPTION}, {SSE}", WATCHING, MultipartSubscription),
        (f"{LATEST}, {JSON}", DEFERRING, Deferred),
        (f"{EARLIER}, {JSON}", DEFERRING, Deferred20220824),
        (f"{EARLIER}, {JSON}", READING, None),
        (f"{EARLIER}, {JSON}", "{", None),
        (LATEST, READING, Deferred),
        ("multipart/mixed", DEFERRING, Deferred),
        ("multipart/mixed", WATCHING, None),
        (URQL, READING, None),
        (URQL, DEFERRING, Deferred),
        (URQL, WATCHING, ServerSentEvents),
        (f"*/*, {SSE}", READING, None),
        ("*/*", DEFERRING, None),
        ("*/*", WATCHING, None),
        (JSON, WATCHING, None),
        ("", DEFERRING, None),
        (None, READING, None),
    ],
)
def test_the_transport(accept: str | None, query: str, expected: type[Transport] | None):
    assert transport_for(_parsed(query), None, accept, set(OperationType)) is expected


def test_an_operation_that_is_not_allowed_is_refused_plainly():
    by_get, by_post = OperationType.from_http("GET"), OperationType.from_http("POST")
    for allowed, expected in ((by_get, None), (by_post, ServerSentEvents)):
        assert transport_for(_parsed(WRITING), None, SSE, allowed) is expected


def test_the_operation_that_is_named_counts():
    both = f"query A {READING} {WATCHING.replace('subscription', 'subscription B')}"
    accept = f"{SSE}, {JSON}"
    for name, expected in (("A", None), ("B", ServerSentEvents)):
        assert transport_for(_parsed(both), name, accept, set(OperationType)) is expected
