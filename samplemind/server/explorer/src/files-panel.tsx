import type { GraphiQLPlugin } from "@graphiql/react";
import { type DragEvent, useState } from "react";
import { choose, remove, select, useChosen } from "./chosen";

const TITLE = "Files";

const sizeOf = ({ size }: File) =>
  size < 1e6 ? `${Math.ceil(size / 1e3)} kB` : `${(size / 1e6).toFixed(1)} MB`;

function FilesPanel() {
  const { files, selected } = useChosen();
  const [isOver, setIsOver] = useState(false);
  const another = files.find((file) => file !== selected) ?? selected;

  const over = (event: DragEvent) => {
    event.preventDefault(); // or the browser would open a dropped file instead
    setIsOver(event.type === "dragover");
  };
  const drop = (event: DragEvent) => {
    over(event);
    choose([...event.dataTransfer.files]);
  };

  return (
    <section className="files" onDragOver={over} onDragLeave={over} onDrop={drop}>
      <h2>{TITLE}</h2>
      <label className={isOver ? "drop over" : "drop"}>
        <strong>Choose sounds</strong> or drop them here
        <input
          type="file"
          multiple
          accept="audio/*,.wav,.flac,.mp3,.ogg,.aif,.aiff,.m4a"
          onChange={({ target }) => {
            choose([...(target.files ?? [])]);
            target.value = ""; // so that the same file can be chosen again
          }}
        />
      </label>
      <ul>
        {files.map((file) => (
          <li key={file.name}>
            <label>
              <input
                type="radio"
                name="selected"
                checked={file === selected}
                onChange={() => select(file)}
              />
              <span title={file.name}>{file.name}</span>
              <small>{sizeOf(file)}</small>
            </label>
            <button type="button" aria-label={`Remove ${file.name}`} onClick={() => remove(file)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <p>
        A variable of type <code>Upload</code> takes the selected sound. To send another one, give
        its name:
      </p>
      <pre>{JSON.stringify({ file: another?.name ?? "kick.wav" })}</pre>
      <p>Nothing is sent before you run an operation.</p>
    </section>
  );
}

const PaperClip = () => (
  <svg viewBox="0 0 24 24" height="1em" fill="none" stroke="currentColor" strokeWidth="1.6">
    <path
      strokeLinecap="round"
      strokeLinejoin="round"
      d="m20 11.5-8.3 8.3a5.2 5.2 0 0 1-7.4-7.4l8.6-8.6a3.5 3.5 0 0 1 4.9 4.9l-8.5 8.6a1.7 1.7 0 0 1-2.5-2.5l7.9-7.8"
    />
  </svg>
);

export const filesPlugin: GraphiQLPlugin = { title: TITLE, icon: PaperClip, content: FilesPanel };

/** GraphiQL has no call that unfolds a plugin's panel, only its button. */
export const showFilesPanel = () =>
  document.querySelector<HTMLElement>(`[aria-label="Show ${TITLE}"]`)?.click();
