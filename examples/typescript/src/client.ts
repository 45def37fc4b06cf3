import { createClient } from "graphql-ws";
import WebSocket from "ws";
import type { TypedDocumentString } from "./gql/graphql.js";

interface Answer<Data> {
  data?: Data | null;
  errors?: readonly { message: string; extensions?: { code?: string } }[];
}

/** What the server refused, by its stable code. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(`${code}: ${message}`);
  }
}

/** Asks and watches with the types of each document. Files may stand anywhere in the variables. */
export class Client {
  constructor(private readonly url: string) {}

  async ask<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    const files = new Map<string, File>();
    const withoutFiles = takeFiles(variables, "variables", files);
    const operation = JSON.stringify({ query: document, variables: withoutFiles });
    const response = await fetch(this.url, {
      method: "POST",
      ...(files.size ? multipart(operation, files) : json(operation)),
    });
    return dataOf((await response.json()) as Answer<Data>);
  }

  async *watch<Data, Variables extends Record<string, unknown>>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
  ): AsyncGenerator<Data> {
    const client = createClient({
      url: this.url.replace(/^http/, "ws"),
      webSocketImpl: WebSocket, // a browser brings its own
    });
    try {
      for await (const answer of client.iterate<Data>({ query: document.toString(), variables }))
        yield dataOf(answer as Answer<Data>);
    } finally {
      await client.dispose();
    }
  }
}

function json(operation: string): RequestInit {
  return { headers: { "content-type": "application/json" }, body: operation };
}

/** A GraphQL multipart request: each file stands where the variables have a null. */
function multipart(operation: string, files: Map<string, File>): RequestInit {
  const paths = [...files.keys()];
  const body = new FormData();
  body.append("operations", operation);
  body.append("map", JSON.stringify(Object.fromEntries(paths.map((path, i) => [i, [path]]))));
  [...files.values()].forEach((file, i) => body.append(String(i), file));
  return { headers: { "apollo-require-preflight": "true" }, body };
}

function takeFiles(value: unknown, path: string, files: Map<string, File>): unknown {
  if (value instanceof File) {
    files.set(path, value);
    return null;
  }
  if (Array.isArray(value)) return value.map((item, i) => takeFiles(item, `${path}.${i}`, files));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    takeFiles(item, `${path}.${name}`, files),
  ]);
  return Object.fromEntries(entries);
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  const [error] = errors ?? [];
  if (error) throw new Refused(error.extensions?.code ?? "UNKNOWN", error.message);
  if (!data) throw new Refused("UNKNOWN", "The answer holds neither data nor errors.");
  return data;
}
