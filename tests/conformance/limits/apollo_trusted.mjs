// Apollo Client with the ids of Apollo's own manifest, against a server that trusts this list.
import { readFileSync } from "node:fs";
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";
import { parse } from "graphql";

const [url, manifestPath] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
const persisted = new PersistedQueryLink(
  generatePersistedQueryIdsFromManifest({ loadManifest: async () => manifest }),
);
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: persisted.concat(new HttpLink({ uri: url })),
});
const document = (name) => parse(readFileSync(`documents/${name}.graphql`, "utf8"));
const viewer = await client.query({ query: document("Viewer") });
const library = await client.query({ query: document("Library"), variables: { first: 2 } });
console.log(JSON.stringify({
  username: viewer.data.viewer.username,
  files: library.data.audioFiles.totalCount,
}));
