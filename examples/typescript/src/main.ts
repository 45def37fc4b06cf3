import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { Client, Refused } from "./client.js";
import { analyzeSounds, findSimilar, searchInWords, uploadSound, watchBatch } from "./documents.js";

const paths = process.argv.slice(2);
if (!paths.length) throw new Error("Name the sounds to upload: npm start -- kick.wav snare.wav");

const server = process.env["SAMPLEMIND_URL"] ?? "http://127.0.0.1:8000";
const client = new Client(`${server}/graphql`);

/** What a payload holds. Throws its first error. */
function expect<T>(value: T | null | undefined, errors: { code: string; message: string }[]): T {
  const [error] = errors;
  if (error) throw new Refused(error.code, error.message);
  if (value == null) throw new Refused("UNKNOWN", "The payload is empty.");
  return value;
}

const ids: string[] = [];
for (const path of paths) {
  const file = new File([await openAsBlob(path)], basename(path)); // streamed from the disk
  const { uploadAudio } = await client.ask(uploadSound, { file, tags: ["example"] });
  const stored = expect(uploadAudio.audioFile, uploadAudio.errors);
  console.log(`uploaded ${stored.filename}, ${stored.durationSeconds.toFixed(2)} s`);
  ids.push(stored.id);
}

const { createBatchJob } = await client.ask(analyzeSounds, { audioFileIds: ids, level: "DETAILED" });
const batch = expect(createBatchJob.batchJob, createBatchJob.errors);
for await (const { batchProgress } of client.watch(watchBatch, { batchId: batch.id })) {
  const { sequence, batchJob, item } = batchProgress;
  const moved = item ? `: ${item.audioFile?.filename} is ${item.status}` : "";
  console.log(
    `${sequence}. batch ${batchJob.status}, ${batchJob.completed} of ${batchJob.total}${moved}`,
  );
}

const [seed] = ids;
if (seed) {
  const { similarTo } = await client.ask(findSimilar, { target: { audioFileId: seed }, first: 5 });
  for (const { score, reasons, node } of similarTo.edges) {
    const shares = Object.entries(reasons ?? {}) as [string, number][];
    const because = shares.map(([name, share]) => `${name} ${Math.round(100 * share)} %`);
    console.log(`${score.toFixed(3)} ${node.filename}: ${because.join(", ")}`);
  }
}

const prompt = "a short, tonal one-shot";
const { searchAudio } = await client.ask(searchInWords, { prompt, first: 3 });
const { by, filter, profile } = searchAudio.understood;
const meant = [...(filter.kinds ?? []), ...(filter.labels ?? []), ...profile.like];
console.log(`'${prompt}' is ${meant.join(", ")} to ${by}`);
for (const { node } of searchAudio.edges) console.log(`  ${node.filename}`);
