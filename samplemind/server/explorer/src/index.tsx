import "./workers";
import "graphiql/style.css";
import "./style.css";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";
import { examples } from "./examples";
import { createFetcher } from "./fetcher";
import { filesPlugin } from "./files-panel";
import { FillBatchId, noticeBatch } from "./last-batch";
import { bareSchema } from "./uploads";

const root = document.getElementById("explorer")!;
const url = new URL(root.dataset.graphql!, location.href).href;

let schema = bareSchema;

createRoot(root).render(
  <GraphiQL
    fetcher={createFetcher(url, () => schema, noticeBatch)}
    onSchemaChange={(current) => (schema = current ?? bareSchema)}
    defaultTabs={examples}
    defaultEditorToolsVisibility="variables"
    plugins={[HISTORY_PLUGIN, filesPlugin]}
    // A file's place in the variables holds its name or nothing; see uploads.ts.
    customScalarSchemas={{ Upload: { type: ["string", "null"] } }}
  >
    <GraphiQL.Logo>SampleMind</GraphiQL.Logo>
    <FillBatchId />
  </GraphiQL>,
);
