// How to connect, in the reader's language, with his own token where he has one.
import { NativeSelect, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { placeholder, type SnippetTool, snippets } from "../lib/snippets";
import { CodeBlock } from "./copy";
import styles from "./ui.module.css";

export function SnippetTabs({ url, token }: { url: string; token: string | null }) {
  const all = snippets(url, token);
  const [tool, setTool] = useState<SnippetTool>("tidegate");
  const data = all.map((snippet) => ({ value: snippet.tool, label: snippet.label }));
  const shown = all.find((snippet) => snippet.tool === tool);
  return (
    <div className={styles.stack}>
      <SegmentedControl
        className="wide-only"
        aria-label="Client"
        fullWidth
        data={data}
        value={tool}
        onChange={(value) => setTool(value as SnippetTool)}
      />
      <NativeSelect
        className="narrow-only"
        label="Client"
        data={data}
        value={tool}
        onChange={(event) => setTool(event.currentTarget.value as SnippetTool)}
      />
      {shown && <CodeBlock text={shown.text} label={`${shown.label} snippet`} />}
      <p className={styles.dim}>
        {shown?.note} {token ? "Your access token is filled in: treat it like a password." : placeholder}
      </p>
    </div>
  );
}
