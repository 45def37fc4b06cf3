import { useSyncExternalStore } from "react";

/** The sounds chosen in the Files panel, and which of them an upload takes by default. */
export type Chosen = { files: readonly File[]; selected: File | undefined };

let chosen: Chosen = { files: [], selected: undefined };
const listeners = new Set<() => void>();

const set = (next: Chosen) => {
  chosen = next;
  listeners.forEach((listener) => listener());
};

export const getChosen = () => chosen;

export const useChosen = () =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, getChosen);

/** Adds files, replacing those of the same name, and selects the first of them. */
export function choose(added: readonly File[]) {
  if (added.length === 0) return;
  const names = new Set(added.map((file) => file.name));
  const kept = chosen.files.filter((file) => !names.has(file.name));
  set({ files: [...kept, ...added], selected: added[0] });
}

export const select = (file: File) => set({ ...chosen, selected: file });

export function remove(file: File) {
  const files = chosen.files.filter((other) => other !== file);
  set({ files, selected: chosen.selected === file ? files[0] : chosen.selected });
}
