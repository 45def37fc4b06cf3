// Stands in for Prettier's Babel parser and printer (build.js), which GraphiQL uses for nothing but
// tidying the JSON of variables and headers: half a megabyte less.
import { applyEdits, format } from "jsonc-parser";

type Text = { text: string };

export const parsers = {
  jsonc: {
    parse: (text: string): Text => ({ text }),
    astFormat: "jsonc-text",
    locStart: () => 0,
    locEnd: ({ text }: Text) => text.length,
  },
};

export const printers = {
  "jsonc-text": {
    print: ({ node: { text } }: { node: Text }) =>
      applyEdits(text, format(text, undefined, { insertSpaces: true, tabSize: 2 })),
  },
};
