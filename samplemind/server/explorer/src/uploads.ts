import {
  type GraphQLInputType,
  GraphQLScalarType,
  GraphQLSchema,
  type NamedTypeNode,
  type OperationDefinitionNode,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
} from "graphql";
import type { Chosen } from "./chosen";

type Variables = Record<string, unknown>;

const isObject = (value: unknown): value is Variables =>
  typeof value === "object" && value !== null;

/** Stands in until the schema has been read, or where the server does not tell it. */
export const bareSchema = new GraphQLSchema({ types: [new GraphQLScalarType({ name: "Upload" })] });

/** A file was needed that is not chosen; the message is for the user. */
export class FileMissing extends Error {}

/**
 * The variables with the chosen files in the places of type `Upload`, nested ones too,
 * and these places as paths ("variables.input.file").
 */
export function placeFiles(
  operation: OperationDefinitionNode,
  schema: GraphQLSchema,
  variables: Variables,
  chosen: Chosen,
) {
  const placed = new Map<string, File>();

  const fileFor = (value: unknown, path: string): File => {
    const file =
      typeof value === "string" ? chosen.files.find(({ name }) => name === value) : chosen.selected;
    if (file) return file;
    const variable = path.replace("variables.", "$");
    throw new FileMissing(
      typeof value === "string"
        ? `${variable} is "${value}", but no file of that name is chosen. Choose it in the Files panel, on the left.`
        : `${variable} needs a sound. Choose one in the Files panel, on the left, and run this again.`,
    );
  };

  const place = (type: GraphQLInputType, value: unknown, path: string): unknown => {
    const isRequired = isNonNullType(type);
    const inner = isRequired ? type.ofType : type;
    if (isListType(inner)) {
      if (!Array.isArray(value)) return value;
      return value.map((item, index) => place(inner.ofType, item, `${path}.${index}`));
    }
    // What is required may be left out when files are all it takes; an optional file is sent
    // only when asked for, by its name or by null.
    if (value === undefined && !isRequired) return value;
    if (isInputObjectType(inner)) {
      const filled: unknown = value === undefined ? {} : structuredClone(value);
      if (!isObject(filled)) return value;
      const placedBefore = placed.size;
      for (const { name, type: fieldType } of Object.values(inner.getFields()))
        filled[name] = place(fieldType, filled[name], `${path}.${name}`);
      return placed.size === placedBefore ? value : filled;
    }
    if (inner.name !== "Upload") return value;
    placed.set(path, fileFor(value, path));
    return null; // a part of the multipart request takes its place
  };

  const filled: Variables = { ...variables };
  for (const { variable, type } of operation.variableDefinitions ?? []) {
    const name = variable.name.value;
    const inputType = typeFromAST(schema, type as NamedTypeNode); // which takes lists as well
    if (isInputType(inputType)) filled[name] = place(inputType, filled[name], `variables.${name}`);
  }
  return { variables: filled, placed };
}
