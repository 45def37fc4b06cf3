// Monaco asks here for its web workers; build.js puts them beside this module.
const url = (label: string) =>
  new URL(WORKERS[label as keyof typeof WORKERS] ?? WORKERS.editor, import.meta.url);

Object.assign(globalThis, {
  MonacoEnvironment: {
    getWorker: (_id: string, label: string) => new Worker(url(label), { type: "module" }),
  },
});
