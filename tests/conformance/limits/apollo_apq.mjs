// Automatic persisted queries as Apollo Client sends them: what went over the wire, as JSON.
import { createHash } from "node:crypto";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

const [url, method, name] = process.argv.slice(2);
const sent = [];

const http = new HttpLink({
  uri: url,
  fetch: (address, options) => {
    const text = options.body ?? new URL(address).search;
    sent.push({ method: options.method, withText: /query( |%20|\+)Apq/.test(text) });
    return fetch(address, options);
  },
});
const persisted = new PersistedQueryLink({
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  useGETForHashedQueries: method === "GET",
});
const client = new ApolloClient({ cache: new InMemoryCache(), link: persisted.concat(http) });

const answers = [];
for (let i = 0; i < 2; i++) {
  const query = gql`query ${name} { viewer { id username } }`;
  const { data } = await client.query({ query, fetchPolicy: "network-only" });
  answers.push(data.viewer.username);
}
console.log(JSON.stringify({ sent, answers }));
