// Asks what ../library.graphql asks, and prints the answers.
import { createClient } from "./generated";

const client = createClient({ url: `${process.env["SERVER"]}/graphql` });

async function main() {
  const { audioFiles } = await client.query({
    audioFiles: {
      __args: {
        first: 2,
        filter: {
          tags: [process.env["TAG"]!],
          kinds: ["ONE_SHOT"],
          uploadedAt: { from: "2020-01-01T00:00:00Z" },
        },
        orderBy: { field: "FILENAME", direction: "ASC" },
      },
      edges: {
        node: {
          id: true,
          filename: true,
          uploadedAt: true,
          metadata: true,
          owner: { username: true, role: true },
          analysis: { kind: true, level: true, labels: { name: true, score: true } },
        },
      },
    },
  });
  const [seed] = audioFiles.edges.map((edge) => edge.node);
  if (!seed) throw new Error("The library is empty.");
  const role: "USER" | "ADMIN" | undefined = seed.owner?.role;
  // @ts-expect-error It was not asked for.
  const { sizeBytes } = seed;
  const { similarTo } = await client.query({
    similarTo: {
      __args: { target: { audioFileId: seed.id }, first: 2 },
      edges: { score: true, node: { id: true } },
    },
  });
  console.log(JSON.stringify({ audioFiles, similarTo }), role, sizeBytes);
}

void main();
