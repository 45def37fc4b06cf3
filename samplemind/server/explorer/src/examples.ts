import batch from "./examples/batch.graphql";
import list from "./examples/list.graphql";
import similar from "./examples/similar.graphql";
import subscription from "./examples/subscription.graphql";
import upload from "./examples/upload.graphql";

/** The tabs that a first visit shows. GraphiQL names a tab after its operation. */
export const examples = [
  { query: list },
  { query: similar },
  { query: upload },
  { query: batch },
  { query: subscription, variables: '{ "batchId": "" }' },
];
