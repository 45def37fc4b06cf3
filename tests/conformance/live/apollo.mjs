// Apollo Client: subscriptions as multipart over its HttpLink, and @defer in both of its forms.
import assert from "node:assert/strict";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { CombinedGraphQLErrors } from "@apollo/client/errors";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { NOWHERE, PROGRESS, URL_, batch, files } from "./api.mjs";

const HANDLERS = {
  deferSpec: new Defer20220824Handler(),
  incrementalSpec: new GraphQL17Alpha9Handler(),
};

function client(incrementalHandler) {
  const types = [];
  const recording = async (url, init) => {
    const response = await fetch(url, init);
    types.push(response.headers.get("content-type"));
    return response;
  };
  const link = new HttpLink({ uri: URL_, fetch: recording });
  const made = new ApolloClient({ cache: new InMemoryCache(), link, incrementalHandler });
  return { client: made, types };
}

function all(observable) {
  return new Promise((resolve, reject) => {
    const told = [];
    observable.subscribe({
      next: (result) => told.push(result),
      error: reject,
      complete: () => resolve(told),
    });
  });
}

// A subscription, from its first change to its end.
{
  const { client: apollo, types } = client();
  const told = await all(
    apollo.subscribe({ query: gql(PROGRESS), variables: { id: await batch(), after: 0 } }),
  );
  assert.deepEqual(
    told.map((result) => result.data.batchProgress.sequence),
    Array.from({ length: 11 }, (_, n) => n + 1),
  );
  assert.match(types[0], /^multipart\/mixed;.*subscriptionSpec=1\.0/);

  // One that is refused says why.
  const [refused] = await all(
    apollo.subscribe({ query: gql(PROGRESS), variables: { id: NOWHERE }, errorPolicy: "all" }),
  );
  assert.ok(CombinedGraphQLErrors.is(refused.error), String(refused.error));
  assert.equal(refused.error.errors[0].extensions.code, "NOT_FOUND");

  // Leaving early.
  await new Promise((resolve) => {
    const query = gql(`subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id } }`);
    files().then(([id]) => {
      const watching = apollo.subscribe({ query, variables: { id } }).subscribe(() => {
        watching.unsubscribe();
        resolve();
      });
    });
  });
  apollo.stop();
}

const SIMILAR = gql`
  query ($id: ID!) {
    node(id: $id) {
      ... on AudioFile {
        id
        filename
        ...Similar @defer(label: "similar")
        ... @defer(label: "duplicates") {
          duplicates {
            id
          }
        }
      }
    }
  }
  fragment Similar on AudioFile {
    similarTo(first: 3) {
      edges {
        score
        node {
          id
          filename
        }
      }
    }
  }
`;

const FAILING = gql`
  query ($id: ID!) {
    node(id: $id) {
      ... on AudioFile {
        id
        ... @defer(label: "failing") {
          similarTo(first: 3, after: "nonsense") {
            edges {
              score
            }
          }
        }
      }
    }
  }
`;

const [id] = await files();
for (const [name, handler] of Object.entries(HANDLERS)) {
  const { client: apollo, types } = client(handler);
  const states = [];
  await new Promise((resolve, reject) => {
    apollo.watchQuery({ query: SIMILAR, variables: { id } }).subscribe({
      next: (result) => {
        states.push(result);
        if (result.dataState === "complete") resolve();
      },
      error: reject,
    });
  });
  assert.match(types[0], new RegExp(`^multipart/mixed;.*${name}=`));
  const early = states.find((state) => state.data?.node);
  assert.equal(early.dataState, "streaming");
  assert.ok(early.data.node.filename);
  assert.equal(early.data.node.similarTo, undefined);
  const last = states.at(-1).data.node;
  assert.equal(last.similarTo.edges.length, 3);
  assert.deepEqual(last.duplicates, []);

  const failed = await apollo.query({ query: FAILING, variables: { id }, errorPolicy: "all" });
  assert.equal(failed.error.errors[0].extensions.code, "BAD_USER_INPUT", name);
  assert.ok(failed.data.node.id);
  apollo.stop();
}

// Without a handler, Apollo says itself that it cannot; a link that asks for one answer gets one.
{
  const { client: apollo } = client(HANDLERS.deferSpec);
  const plain = new ApolloLink((operation, forward) => {
    operation.setContext({ headers: { accept: "application/json" }, http: { accept: [] } });
    return forward(operation);
  });
  apollo.setLink(plain.concat(apollo.link));
  const { data } = await apollo.query({ query: SIMILAR, variables: { id } });
  assert.equal(data.node.similarTo.edges.length, 3);
  apollo.stop();
}
