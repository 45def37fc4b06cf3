"""Asks ../library.graphql by the code generated from it, and prints the answers."""

import json
import os

from generated import operations
from sgqlc.endpoint.http import HTTPEndpoint

endpoint = HTTPEndpoint(os.environ["SERVER"] + "/graphql")
chosen = {
    "tags": [os.environ["TAG"]],
    "kinds": ["ONE_SHOT"],
    "uploadedAt": {"from": "2020-01-01T00:00:00Z"},
}
order = {"field": "FILENAME", "direction": "ASC"}

library = operations.Operations.query.library
answer = endpoint(library, {"first": 2, "filter": chosen, "orderBy": order})
files = library + answer
seed = files.audio_files.edges[0].node
assert seed.uploaded_at.year >= 2026
assert seed.analysis.labels[0].score > 0

found = endpoint(
    operations.Operations.query.similar, {"target": {"audioFileId": seed.id}, "first": 2}
)
print(json.dumps({**answer["data"], **found["data"]}))
