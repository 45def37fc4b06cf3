// Prints what in the schema named second breaks a client of the schema named first, by graphql-inspector.
import { readFileSync } from "node:fs";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [before, after] = process.argv.slice(2).map((path) => buildSchema(readFileSync(path, "utf8")));
for (const { criticality, message } of await diff(before, after))
  if (criticality.level === CriticalityLevel.Breaking) console.log(message);
