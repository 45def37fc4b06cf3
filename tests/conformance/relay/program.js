// Runs what relay-compiler has made, with Relay's own hooks, against SAMPLEMIND_URL; prints what
// it saw as JSON. Takes the ids of a file to rename and of a file to delete.
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const { createElement, Suspense } = require("react");
const { act, create } = require("react-test-renderer");
const {
  RelayEnvironmentProvider,
  useFragment,
  useLazyLoadQuery,
  usePaginationFragment,
  useRefetchableFragment,
} = require("react-relay");
const {
  commitMutation,
  ConnectionHandler,
  Environment,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} = require("relay-runtime");
const { createClient } = require("graphql-ws");
const WebSocket = require("ws");

const compiled = (name) => require(`./__generated__/${name}.graphql.js`);

const url = `${process.env.SAMPLEMIND_URL}/graphql`;
const [renamed, deleted] = process.argv.slice(2);

const requests = [];

async function ask({ name, text }, variables) {
  requests.push(name);
  const answer = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: text, variables }),
  });
  return answer.json();
}

const socket = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: WebSocket,
  lazy: true,
});

const subscribe = ({ name, text }, variables) =>
  Observable.create((sink) =>
    socket.subscribe({ operationName: name, query: text, variables }, sink),
  );

const environment = new Environment({
  network: Network.create(ask, subscribe),
  store: new Store(new RecordSource()),
});

// A component whose hook's latest result can be looked at.
function shown(hook) {
  const seen = {};
  function Component() {
    seen.now = hook();
    return null;
  }
  return { seen, element: createElement(Component) };
}

async function render({ seen, element }) {
  await act(async () => {
    create(
      createElement(
        RelayEnvironmentProvider,
        { environment },
        createElement(Suspense, { fallback: null }, element),
      ),
    );
  });
  await until(() => seen.now);
}

// Lets React and Relay work until `done`.
async function until(done) {
  const end = Date.now() + 20_000;
  while (!done()) {
    if (Date.now() > end) throw new Error(`never came: ${done}`);
    await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
  }
}

const ids = (connection) => connection.edges.map((edge) => edge.node.id);

async function toTheEnd(component, load, has, edges) {
  const sizes = [edges(component.seen.now).length];
  while (component.seen.now[has]) {
    await act(async () => {
      await new Promise((resolve, reject) =>
        component.seen.now[load](4, { onComplete: (error) => (error ? reject(error) : resolve()) }),
      );
    });
    sizes.push(edges(component.seen.now).length);
  }
  return sizes;
}

function mutate(mutation, variables) {
  return new Promise((resolve, reject) => {
    commitMutation(environment, {
      mutation: compiled(mutation),
      variables,
      onCompleted: resolve,
      onError: reject,
    });
  });
}

async function main() {
  const said = {};

  // A page, and loadNext until there is no more.
  const files = shown(() => {
    const query = useLazyLoadQuery(compiled("libraryQuery"), { count: 3 });
    return { ...usePaginationFragment(compiled("libraryFiles"), query), viewer: query.viewer };
  });
  await render(files);
  const list = () => files.seen.now.data.audioFiles;
  said.sizes = await toTheEnd(files, "loadNext", "hasNext", (now) => now.data.audioFiles.edges);
  said.files = ids(list());
  said.total = list().totalCount;
  said.viewer = files.seen.now.viewer.username;

  // The same list from its end, and loadPrevious.
  const oldest = shown(() =>
    usePaginationFragment(
      compiled("libraryOldest"),
      useLazyLoadQuery(compiled("libraryQuery"), { count: 3 }),
    ),
  );
  await render(oldest);
  await toTheEnd(oldest, "loadPrevious", "hasPrevious", (now) => now.data.oldest.edges);
  said.oldest = ids(oldest.seen.now.data.oldest);

  // What is alike one file, to the end.
  const similar = shown(() =>
    usePaginationFragment(
      compiled("librarySimilar"),
      useLazyLoadQuery(compiled("librarySimilarQuery"), { id: renamed, count: 2 }).node.similar,
    ),
  );
  await render(similar);
  await toTheEnd(similar, "loadNext", "hasNext", (now) => now.data.similarTo.edges);
  said.similar = ids(similar.seen.now.data.similarTo);

  // One node, fetched again by its id; then a mutation changes what is shown of it.
  const file = shown(() => {
    const { node } = list().edges.find((edge) => edge.node.id === renamed);
    const [data, refetch] = useRefetchableFragment(compiled("libraryFile"), node);
    return { data, refetch };
  });
  await render(file);
  const before = requests.length;
  await act(async () => {
    file.seen.now.refetch({}, { fetchPolicy: "network-only" });
  });
  await until(() => requests.length > before && file.seen.now.data);
  said.refetched = requests.slice(before);
  said.before = file.seen.now.data;
  await act(() =>
    mutate("libraryRenameMutation", {
      input: { id: renamed, filename: "zebra.wav", tags: ["renamed"] },
    }),
  );
  await until(() => file.seen.now.data.filename === "zebra.wav");
  said.after = file.seen.now.data;
  said.listed = list().edges.find((edge) => edge.node.id === renamed).node.filename;

  // A deleted file leaves the list.
  const connection = ConnectionHandler.getConnectionID(
    "client:root",
    "library_audioFiles",
    { orderBy: { direction: "ASC", field: "FILENAME" } },
  );
  await act(() =>
    mutate("libraryDeleteMutation", { input: { id: deleted }, connections: [connection] }),
  );
  await until(() => !ids(list()).includes(deleted));
  said.left = ids(list());

  // A batch job, watched until it ends: the subscription changes the same record.
  const { createBatchJob } = await mutate("libraryBatchMutation", {
    input: { audioFileIds: [renamed], level: "BASIC" },
  });
  const events = [];
  await new Promise((resolve, reject) => {
    requestSubscription(environment, {
      subscription: compiled("libraryProgressSubscription"),
      variables: { id: createBatchJob.batchJob.id },
      onNext: ({ batchProgress }) => events.push(batchProgress.sequence),
      onCompleted: resolve,
      onError: reject,
    });
  });
  said.events = events;
  said.batch = environment.getStore().getSource().get(createBatchJob.batchJob.id);
  await socket.dispose();
  // React's scheduler would keep the process; it may end when the answer has been written.
  process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
