// The official client of GraphQL over SSE (distinct connections) against the server.
import assert from "node:assert/strict";
import { createClient } from "graphql-sse";
import { CREATE, FILES, NOWHERE, PROGRESS, UPDATED, URL_, batch } from "./api.mjs";

const client = createClient({ url: URL_, retryAttempts: 0 });

async function all(query, variables, using = client) {
  const told = [];
  for await (const result of using.iterate({ query, variables })) told.push(result);
  return told;
}

// A query and a mutation: one result each.
const [{ data }] = await all(FILES);
const ids = data.audioFiles.edges.map((edge) => edge.node.id);
assert.equal(ids.length, 5);
const [{ data: made }] = await all(CREATE, { ids });
const id = made.createBatchJob.batchJob.id;

// A subscription from its first change to its end, and from the middle.
const upTo = (last, first = 1) => Array.from({ length: last - first + 1 }, (_, n) => n + first);
const numbers = (told) => told.map((result) => result.data.batchProgress.sequence);
assert.deepEqual(numbers(await all(PROGRESS, { id, after: 0 })), upTo(11));
assert.deepEqual(numbers(await all(PROGRESS, { id, after: 7 })), upTo(11, 8));

// Twenty at once.
const other = await batch(ids);
const stories = await Promise.all(
  Array.from({ length: 20 }, () => all(PROGRESS, { id: other, after: 0 })),
);
for (const one of stories) assert.deepEqual(one, stories[0]);

// Leaving early.
for (let round = 0; round < 10; round += 1) {
  for await (const result of client.iterate({ query: UPDATED, variables: { id: ids[0] } })) {
    assert.equal(result.data.analysisUpdated.status, "SUCCEEDED");
    break;
  }
}

// Every kind of error comes as a result, with its code.
async function code(query, variables) {
  const [{ errors }, ...more] = await all(query, variables);
  assert.deepEqual(more, []);
  return errors[0].extensions.code;
}
assert.equal(await code("{"), "GRAPHQL_PARSE_FAILED");
assert.equal(await code("{ nothing }"), "GRAPHQL_VALIDATION_FAILED");
assert.equal(await code(PROGRESS, { id: NOWHERE }), "NOT_FOUND");
assert.equal(await code(PROGRESS, { id: "nonsense" }), "BAD_USER_INPUT");

// A connection that is cut: the client goes on after what it has seen.
const third = await batch(ids);
const seen = [];
let cuts = 0;
while (seen.at(-1) !== 11) {
  const aborting = new AbortController();
  const cutting = createClient({
    url: URL_,
    retryAttempts: 0,
    fetchFn: (url, init) => fetch(url, { ...init, signal: aborting.signal }),
  });
  const steps = cutting.iterate({
    query: PROGRESS,
    variables: { id: third, after: seen.at(-1) ?? 0 },
  });
  try {
    let fresh = 0;
    for await (const result of steps) {
      seen.push(...numbers([result]));
      fresh += 1;
      if (fresh === 4) {
        cuts += 1;
        aborting.abort();
        break;
      }
    }
  } catch (error) {
    assert.match(String(error), /abort|terminated/i);
  }
}
assert.ok(cuts > 1);
assert.deepEqual(seen, upTo(11));
client.dispose();
