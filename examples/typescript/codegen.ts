import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../schema.graphql",
  documents: "src/**/*.ts",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        importExtension: ".js",
        scalars: { DateTime: "string", JSON: "Record<string, unknown>", Upload: "File" },
        strictScalars: true,
        useTypeImports: true,
      },
    },
  },
};

export default config;
