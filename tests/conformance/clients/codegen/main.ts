// Asks ../library.graphql with the types generated from it, and prints the answers.
import { readFileSync } from "node:fs";
import type {
  LibraryQuery,
  LibraryQueryVariables,
  SimilarQuery,
  SimilarQueryVariables,
} from "./generated/operations";
import type { AudioFile, Scalars } from "./generated/schema";

const query = readFileSync("library.graphql", "utf8");

async function ask<Data, Variables>(operationName: string, variables: Variables): Promise<Data> {
  const response = await fetch(`${process.env["SERVER"]}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, operationName, variables }),
  });
  return ((await response.json()) as { data: Data }).data;
}

async function main() {
  const { audioFiles } = await ask<LibraryQuery, LibraryQueryVariables>("Library", {
    first: 2,
    filter: {
      tags: [process.env["TAG"]!],
      kinds: ["ONE_SHOT"],
      uploadedAt: { from: "2020-01-01T00:00:00Z" },
    },
    orderBy: { field: "FILENAME", direction: "ASC" },
  });
  const [seed] = audioFiles.edges.map((edge) => edge.node);
  if (!seed) throw new Error("The library is empty.");
  const whole: Pick<AudioFile, "filename" | "metadata"> = seed;
  const uploadedAt: Scalars["DateTime"]["output"] = seed.uploadedAt;
  // @ts-expect-error It was not asked for.
  const { sizeBytes } = seed;
  // @ts-expect-error One of them must be given.
  const nothing: SimilarQueryVariables["target"] = {};
  const { similarTo } = await ask<SimilarQuery, SimilarQueryVariables>("Similar", {
    target: { audioFileId: seed.id },
    first: 2,
  });
  console.log(JSON.stringify({ audioFiles, similarTo }), whole, uploadedAt, sizeBytes, nothing);
}

void main();
