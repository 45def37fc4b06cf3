// Builds dist/ from src/: `npm ci && npm run check && npm run build`.
// File names carry a hash of their content, so they may be cached for good; manifest.json tells
// the server the ones that the page starts from.
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

const OUT = "dist";

/** What Monaco can do that nothing here asks for. */
const UNUSED = new RegExp(
  `/(${[
    "anchorSelect",
    "codeActionContributions",
    "codelens",
    "colorPicker",
    "diffEditor",
    "diffEditorBreadcrumbs",
    "dropOrPasteInto",
    "goToCommands",
    "goToDefinitionAtPosition",
    "inlayHints",
    "inlineCompletions",
    "inlineEdit",
    "inlineEdits",
    "inlineProgress",
    "inPlaceReplace",
    "inspectTokens",
    "iPadShowKeyboard",
    "linkedEditing",
    "referenceSearch",
    "rename",
    "sectionHeaders",
    "semanticTokens",
    "stickyScroll",
    "suggestInlineCompletions",
  ].join("|")})\\b`,
);

const slim = {
  name: "slim",
  setup({ onLoad }) {
    const load = (filter, change, loader) =>
      onLoad({ filter }, ({ path }) => ({ contents: change(readFileSync(path, "utf8")), loader }));

    load(/monaco-editor.esm.vs.editor.(editor\.all|edcore\.main)\.js$/, (text) =>
      text
        .split("\n")
        .filter((line) => !UNUSED.test(line))
        .join("\n"),
    );
    // graphiql/style.css holds Monaco's styles already.
    load(/monaco-editor.*\.css$/, () => "", "empty");
    // Its web fonts give way to the system's.
    load(
      /graphiql.dist.style\.css$/,
      (text) => text.replace(/@font-face\s*\{\s*font-family: (Roboto|Fira Code)[^}]*\}/g, ""),
      "css",
    );
  },
};

const common = {
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  target: ["es2022"],
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  legalComments: "none", // THIRD_PARTY.txt has them in full
  metafile: true,
  logLevel: "warning",
};

const names = ({ metafile }) => Object.keys(metafile.outputs).map((path) => basename(path));

/** The one built file of this name, which has its hash between the two. */
const find = (result, name, extension) =>
  names(result).find((file) => file.startsWith(`${name}-`) && file.endsWith(extension));

/** The licence of every package that has a part in the bundles. */
function thirdParty(inputs) {
  const folders = new Set(
    inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]).filter(Boolean),
  );
  const notices = [...folders].map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json")));
    const texts = readdirSync(folder)
      .filter((file) => /^(licen[sc]e|notice|thirdpartynotices)/i.test(file))
      .map((file) => readFileSync(join(folder, file), "utf8").trim());
    return [`${name} ${version} (${license})`, ...texts].join("\n\n");
  });
  notices.push(
    "Codicons, the icon font in the style sheet, by Microsoft (CC-BY-4.0)\n\n" +
      "https://github.com/microsoft/vscode-codicons",
  );
  return [...new Set(notices)].sort().join(`\n\n${"-".repeat(80)}\n\n`) + "\n";
}

rmSync(OUT, { recursive: true, force: true });

const workers = await build({
  ...common,
  entryPoints: {
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
  },
});
const workerNames = Object.fromEntries(
  ["editor", "graphql", "json"].map((label) => [label, find(workers, `${label}.worker`, ".js")]),
);

const page = await build({
  ...common,
  entryPoints: { explorer: "src/index.tsx", favicon: "src/favicon.svg" },
  plugins: [slim],
  alias: {
    "prettier/parser-graphql": "prettier/plugins/graphql",
    "prettier/parser-babel": "./src/jsonc-printer.ts",
    "prettier/plugins/estree": "./src/jsonc-printer.ts",
  },
  loader: { ".graphql": "text", ".svg": "copy", ".ttf": "file" },
  define: { WORKERS: JSON.stringify(workerNames), "process.env.NODE_ENV": '"production"' },
});

const manifest = {
  script: find(page, "explorer", ".js"),
  style: find(page, "explorer", ".css"),
  favicon: find(page, "favicon", ".svg"),
};
writeFileSync(join(OUT, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

const inputs = [workers, page].flatMap(({ metafile }) => Object.keys(metafile.inputs));
writeFileSync(join(OUT, "THIRD_PARTY.txt"), thirdParty(inputs));
