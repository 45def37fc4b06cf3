// apollo-upload-client sending sounds: node uploads.js URL SOUND SOUND. Prints the answers as JSON.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { ApolloClient, InMemoryCache, gql } from "@apollo/client";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";

const [url, ...paths] = process.argv.slice(2);
const blobs = await Promise.all(paths.map(async (path) => new Blob([await readFile(path)])));
const [first, second] = blobs.map((blob, index) => new File([blob], basename(paths[index])));

const client = new ApolloClient({
  link: new UploadHttpLink({ uri: url, headers: { "Apollo-Require-Preflight": "true" } }),
  cache: new InMemoryCache(),
});

const STORED = gql`
  fragment Stored on UploadAudioPayload {
    audioFile { id filename sha256 }
    errors { code message field }
  }
`;
const ONE = gql`
  mutation One($file: Upload!) { uploadAudio(input: { file: $file }) { ...Stored } }
  ${STORED}
`;
const TWO = gql`
  mutation Two($first: UploadAudioInput!, $second: UploadAudioInput!) {
    first: uploadAudio(input: $first) { ...Stored }
    second: uploadAudio(input: $second) { ...Stored }
  }
  ${STORED}
`;

// Past the cache: in its keys every file is {}, so that the answers of `Two` would be one.
const send = async (mutation, variables) =>
  (await client.mutate({ mutation, variables, fetchPolicy: "no-cache" })).data;

console.log(
  JSON.stringify({
    file: await send(ONE, { file: first }),
    several: await send(TWO, { first: { file: first }, second: { file: second } }),
    same: await send(TWO, { first: { file: second }, second: { file: second } }),
    blob: await send(ONE, { file: blobs[0] }),
    // Without a file it is a request of plain JSON.
    none: (await client.query({ query: gql`{ viewer { username } }` })).data,
  }),
);
