// schema.graphql by graphql-eslint: everything for schemas that is recommended, everything for Relay.
import graphql from "@graphql-eslint/eslint-plugin";

export default [
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "schema.graphql" } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/schema-recommended"].rules,
      ...graphql.configs["flat/schema-relay"].rules,

      "@graphql-eslint/alphabetize": [
        "error",
        // Definitions are sorted too, behind those of directives.
        {
          fields: ["ObjectTypeDefinition", "InterfaceTypeDefinition", "InputObjectTypeDefinition"],
          arguments: ["FieldDefinition"],
          values: true,
        },
      ],
      "@graphql-eslint/require-description": [
        "error",
        {
          types: true,
          rootField: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
          // Strawberry has no place for these.
          ignoredSelectors: [
            "DirectiveDefinition > InputValueDefinition",
            "DirectiveDefinition[name.value=oneOf]",
          ],
        },
      ],

      // The contract has values without an id (Tempo, PageInfo, payloads …): they live in their parent.
      "@graphql-eslint/strict-id-in-types": "off",
      // `User.username` is one word.
      "@graphql-eslint/no-typename-prefix": "off",
      // Similar sounds are ranked from the top: the contract pages them forwards only.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      // A batch item is not a node in the contract, and short lists (tags, labels) are plain lists.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];
