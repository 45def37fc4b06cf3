// urql, which offers every media type at once and takes what the server chooses.
import assert from "node:assert/strict";
import { createClient, fetchExchange, gql } from "@urql/core";
import { FILES, PROGRESS, URL_, batch } from "./api.mjs";

const types = [];
const client = createClient({
  url: URL_,
  preferGetMethod: false,
  fetchSubscriptions: true,
  exchanges: [fetchExchange],
  fetch: async (url, init) => {
    const response = await fetch(url, init);
    types.push(response.headers.get("content-type").split(";")[0]);
    return response;
  },
});

const all = (source) =>
  new Promise((resolve) => {
    const told = [];
    const { unsubscribe } = source.subscribe((result) => {
      told.push(structuredClone(result.data));
      if (!result.hasNext) {
        resolve(told);
        queueMicrotask(unsubscribe);
      }
    });
  });

const { data } = await client.query(FILES, {}).toPromise();
assert.equal(data.audioFiles.edges.length, 5);
assert.match(types.at(-1), /^application\/(graphql-response\+)?json$/);

const deferred = `query ($id: ID!) {
  node(id: $id) {
    ... on AudioFile { id ... @defer { similarTo(first: 3) { edges { score } } } }
  }
}`;
const id = data.audioFiles.edges[0].node.id;
const parts = await all(client.query(gql(deferred), { id }));
assert.equal(types.at(-1), "multipart/mixed");
assert.equal(parts[0].node.similarTo, undefined);
assert.equal(parts.at(-1).node.similarTo.edges.length, 3);

const steps = await all(client.subscription(gql(PROGRESS), { id: await batch(), after: 0 }));
assert.equal(types.at(-1), "text/event-stream");
assert.equal(steps.filter((step) => step?.batchProgress).at(-1).batchProgress.sequence, 11);
process.exit(0);
