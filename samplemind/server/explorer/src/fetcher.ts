import type { GraphiQLProps } from "graphiql";
import { type GraphQLSchema, getOperationAST, parse } from "graphql";
import { type SubscribePayload, createClient } from "graphql-ws";
import { getChosen } from "./chosen";
import { showFilesPanel } from "./files-panel";
import { FileMissing, placeFiles } from "./uploads";

type Fetcher = GraphiQLProps["fetcher"];
type Params = Parameters<Fetcher>[0];
type Headers = Record<string, string>;
type Observer = {
  next: (result: any) => void;
  complete: () => void;
  error: (error: unknown) => void;
};

async function post(url: string, body: BodyInit, headers: Headers) {
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: { accept: "application/graphql-response+json, application/json", ...headers },
  });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`The server answered ${response.status} ${response.statusText}: ${text}`);
  }
}

/** https://github.com/jaydenseric/graphql-multipart-request-spec */
function multipart(params: Params, placed: Map<string, File>) {
  const form = new FormData();
  const paths = [...placed.keys()].map((path, index) => [index, [path]]);
  form.append("operations", JSON.stringify(params));
  form.append("map", JSON.stringify(Object.fromEntries(paths)));
  [...placed.values()].forEach((file, index) => form.append(String(index), file));
  return form;
}

/** An Observable: GraphiQL can stop one at any moment. */
const subscribe = (url: string, params: Params, headers: Headers) => ({
  subscribe(observer: Observer) {
    // A connection for each run, so that edited headers (a new token) count.
    const client = createClient({ url: url.replace(/^http/, "ws"), connectionParams: headers });
    const unsubscribe = client.subscribe(params as SubscribePayload, {
      next: (result) => observer.next(result),
      complete: () => observer.complete(),
      error: (error) =>
        observer.error(
          error instanceof CloseEvent
            ? new Error(`The server closed the connection: ${error.code} ${error.reason}`)
            : error,
        ),
    });
    return { unsubscribe };
  },
});

/**
 * The operation to run, unless the text does not parse: then the server says what is wrong.
 * Read from the text, since for a moment after a change of tabs GraphiQL still tells the document
 * and the operation name of the tab before.
 */
function operationOf({ query, operationName }: Params) {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document);
  } catch {
    return null;
  }
}

/** How GraphiQL reaches the server: by POST, with files as multipart, or over a WebSocket. */
export function createFetcher(
  url: string,
  getSchema: () => GraphQLSchema,
  onResult: (result: unknown) => void,
): Fetcher {
  return async (given, { headers = {} } = {}) => {
    const operation = operationOf(given);
    const params = { ...given, operationName: operation?.name?.value ?? given.operationName };
    if (operation?.operation === "subscription")
      return subscribe(url, params, headers) as ReturnType<Fetcher>;

    let body: BodyInit = JSON.stringify(params);
    let extraHeaders: Headers = { "content-type": "application/json" };
    if (operation) {
      try {
        const { variables, placed } = placeFiles(
          operation,
          getSchema(),
          params.variables ?? {},
          getChosen(),
        );
        if (placed.size > 0) {
          body = multipart({ ...params, variables }, placed);
          // The browser writes the content type itself, with the boundary. This header is what
          // tells the server that the request is not a form of another site's (CSRF).
          extraHeaders = { "apollo-require-preflight": "true" };
        }
      } catch (error) {
        if (!(error instanceof FileMissing)) throw error;
        showFilesPanel();
        return {
          errors: [{ message: error.message, extensions: { code: "FILE_MISSING" } }],
        } as never;
      }
    }
    const result = await post(url, body, { ...extraHeaders, ...headers });
    onResult(result);
    return result;
  };
}
