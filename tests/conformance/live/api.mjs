// What the programs beside this one share: the operations they run, and a plain request.
export const URL_ = process.env.GRAPHQL_URL;

export const FILES = "{ audioFiles(first: 5, orderBy: { field: UPLOADED_AT, direction: ASC }) { edges { node { id } } } }";

export const CREATE = `mutation ($ids: [ID!]) {
  createBatchJob(input: { audioFileIds: $ids, level: BASIC }) {
    batchJob { id }
    errors { code }
  }
}`;

export const PROGRESS = `subscription ($id: ID!, $after: Int) {
  batchProgress(batchId: $id, afterSequence: $after) {
    sequence
    batchJob { id status total completed }
    item { status audioFile { id } }
  }
}`;

export const UPDATED = `subscription ($id: ID!) {
  analysisUpdated(audioFileId: $id) { id status }
}`;

export const NOWHERE = Buffer.from(`BatchJob:${"0".repeat(24)}`).toString("base64url");

export async function ask(query, variables) {
  const response = await fetch(URL_, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()).data;
}

export async function files() {
  return (await ask(FILES)).audioFiles.edges.map((edge) => edge.node.id);
}

/** A batch job that has only just begun. */
export async function batch(ids) {
  return (await ask(CREATE, { ids: ids ?? (await files()) })).createBatchJob.batchJob.id;
}
