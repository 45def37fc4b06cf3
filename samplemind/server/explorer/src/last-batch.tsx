import { useGraphiQL } from "@graphiql/react";
import { useEffect } from "react";

let newId: string | undefined;

/** Remembers the batch job that an operation has just created, if it did. */
export function noticeBatch(result: any) {
  newId = result?.data?.createBatchJob?.batchJob?.id ?? newId;
}

/** Writes the id of a new batch job into the variables of the next tab opened that watches one. */
export function FillBatchId() {
  const { tabs, activeTabIndex, variableEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    variableEditor: state.variableEditor,
  }));
  const isWatching = /subscription[^{]*\$batchId\b/.test(tabs[activeTabIndex]?.query ?? "");

  useEffect(() => {
    if (!newId || !isWatching || !variableEditor) return;
    variableEditor.setValue(JSON.stringify({ batchId: newId }, null, 2));
    newId = undefined; // once, or it would overwrite what the user writes there later
  }, [activeTabIndex, isWatching, variableEditor]);
  return null;
}
