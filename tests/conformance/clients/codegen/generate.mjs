// Writes generated/schema.ts (every type of the schema) and generated/operations.ts.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import * as typescript from "@graphql-codegen/typescript";
import * as operations from "@graphql-codegen/typescript-operations";
import { parse } from "graphql";

const read = (path) => parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const schema = read("../../../../schema.graphql");
const documents = [{ location: "library.graphql", document: read("../library.graphql") }];
const config = {
  strictScalars: true,
  scalars: { DateTime: "string", JSON: "Record<string, unknown>", Upload: "File" },
};

mkdirSync(new URL("generated", import.meta.url), { recursive: true });
for (const [name, plugin] of Object.entries({ schema: typescript, operations })) {
  const code = await codegen({
    filename: `${name}.ts`,
    schema,
    documents,
    config,
    plugins: [{ [name]: {} }],
    pluginMap: { [name]: plugin },
  });
  writeFileSync(new URL(`generated/${name}.ts`, import.meta.url), code);
}
