// The official client of graphql-transport-ws against the server.
import assert from "node:assert/strict";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { CREATE, FILES, NOWHERE, PROGRESS, UPDATED, URL_, batch, files } from "./api.mjs";

let sockets = 0;
class Counted extends WebSocket {
  constructor(...given) {
    super(...given);
    sockets += 1;
  }
}

const pongs = [];
const client = createClient({
  url: URL_.replace(/^http/, "ws"),
  webSocketImpl: Counted,
  lazy: false,
  retryAttempts: 0,
  keepAlive: 50,
  on: { pong: (received) => received && pongs.push(received) },
});

async function all(query, variables) {
  const told = [];
  for await (const result of client.iterate({ query, variables })) told.push(result);
  return told;
}

// A query and a mutation: one result each.
const [{ data }] = await all(FILES);
const ids = data.audioFiles.edges.map((edge) => edge.node.id);
assert.equal(ids.length, 5);
const [{ data: made }] = await all(CREATE, { ids });
assert.deepEqual(made.createBatchJob.errors, []);
const id = made.createBatchJob.batchJob.id;

// A subscription from its first change to its end.
const story = (await all(PROGRESS, { id, after: 0 })).map((result) => result.data.batchProgress);
assert.deepEqual(story.map((step) => step.sequence), Array.from({ length: 11 }, (_, n) => n + 1));
assert.equal(story.at(-1).batchJob.status, "SUCCEEDED");
assert.equal(story.at(-1).batchJob.completed, 5);

// Twenty at once on one socket, each the whole story in order.
const other = await batch(ids);
const stories = await Promise.all(
  Array.from({ length: 20 }, () => all(PROGRESS, { id: other, after: 0 })),
);
for (const one of stories) assert.deepEqual(one, stories[0]);
assert.equal(stories[0].length, 11);

// Leaving early, again and again, on a socket that goes on.
for (let round = 0; round < 20; round += 1) {
  for await (const result of client.iterate({ query: UPDATED, variables: { id: ids[0] } })) {
    assert.equal(result.data.analysisUpdated.status, "SUCCEEDED");
    break;
  }
}

// Errors before anything is executed end the operation, not the socket.
async function refused(query, variables) {
  try {
    await all(query, variables);
  } catch (errors) {
    assert.ok(Array.isArray(errors), String(errors));
    return errors[0].extensions.code;
  }
  return assert.fail("no error");
}
assert.equal(await refused("{"), "GRAPHQL_PARSE_FAILED");
assert.equal(await refused("{ nothing }"), "GRAPHQL_VALIDATION_FAILED");
assert.equal(await refused(PROGRESS, { id: NOWHERE }), "NOT_FOUND");
const [{ errors }] = await all('{ node(id: "x") { id } }');
assert.equal(errors[0].extensions.code, "BAD_USER_INPUT");

// @defer where an answer is one piece.
const [whole] = await all("{ viewer { id ... @defer { username } } }");
assert.equal(whole.data.viewer.username, "local");

assert.ok(pongs.length > 0, "no pong");
assert.equal(sockets, 1);

// The client goes on where a cut connection left it.
const third = await batch(await files());
const numbers = [];
let cut = false;
const resuming = createClient({ url: URL_.replace(/^http/, "ws"), webSocketImpl: WebSocket, retryAttempts: 0 });
while (numbers.length < 11) {
  const steps = resuming.iterate({
    query: PROGRESS,
    variables: { id: third, after: numbers.at(-1) ?? 0 },
  });
  try {
    for await (const { data } of steps) {
      numbers.push(data.batchProgress.sequence);
      if (!cut && numbers.length === 3) {
        cut = true;
        resuming.terminate();
      }
    }
  } catch (closed) {
    assert.equal(closed.code, 4499);
  }
}
assert.ok(cut);
assert.deepEqual(numbers, Array.from({ length: 11 }, (_, n) => n + 1));
await resuming.dispose();
await client.dispose();
