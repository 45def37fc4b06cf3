// graphql-codegen's client preset with `persistedDocuments`: writes persisted-documents.json.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { codegen } from "@graphql-codegen/core";
import { preset } from "@graphql-codegen/client-preset";
import { buildSchema, parse } from "graphql";

const [schemaPath, target] = process.argv.slice(2);
const text = readFileSync(schemaPath, "utf8");
const documents = readdirSync("documents").map((location) => {
  const rawSDL = readFileSync(`documents/${location}`, "utf8");
  return { location, document: parse(rawSDL), rawSDL };
});
const sections = await preset.buildGeneratesSection({
  baseOutputDir: "generated/",
  schema: parse(text),
  schemaAst: buildSchema(text),
  documents,
  config: {},
  presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
  plugins: [],
  pluginMap: {},
});
// The list fills while the other files are made.
for (const section of sections.filter(({ filename }) => !filename.endsWith(".json"))) {
  await codegen(section);
}
const list = sections.find(({ filename }) => filename.endsWith("persisted-documents.json"));
writeFileSync(target, await codegen(list));
