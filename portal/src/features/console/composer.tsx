// Beneath the timeline: writing messages as text, JSON or binary. Ctrl-Enter sends, arrow up brings back what was sent.
import { Button, SegmentedControl, Textarea } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import { fromHex } from "../../lib/bytes";
import styles from "./console.module.css";

type Form = "text" | "json" | "binary";

/** How many sent messages arrow up reaches. */
const HISTORY_MAX = 100;

const HINTS: Record<Form, string> = {
  text: "Message",
  json: '{"hello": "world"}',
  binary: "Bytes as hexadecimal: 48 65 6c 6c 6f",
};

/** What goes out, or why it cannot. */
function message(form: Form, text: string): { data: string | Uint8Array<ArrayBuffer> } | { error: string } {
  if (form === "binary") {
    const bytes = fromHex(text);
    return typeof bytes === "string" ? { error: bytes } : { data: bytes };
  }
  if (form === "json") {
    try {
      JSON.parse(text);
    } catch (error) {
      return { error: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { data: text };
}

export function Composer(props: { open: boolean; onSend: (data: string | Uint8Array<ArrayBuffer>) => void }) {
  const [form, setForm] = useState<Form>("text");
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [history, setHistory] = useState<string[]>([]);
  const [back, setBack] = useState(0);

  const send = () => {
    const made = message(form, text);
    if ("error" in made) {
      setError(made.error);
      return;
    }
    setError(null);
    props.onSend(made.data);
    setHistory([text, ...history].slice(0, HISTORY_MAX));
    setBack(0);
    setText("");
  };
  const recall = (steps: number) => {
    const place = Math.max(0, Math.min(history.length, back + steps));
    setBack(place);
    setText(place === 0 ? "" : (history[place - 1] ?? ""));
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (props.open) send();
    } else if (event.key === "ArrowUp" && (text === "" || back > 0)) {
      event.preventDefault();
      recall(1);
    } else if (event.key === "ArrowDown" && back > 0) {
      event.preventDefault();
      recall(-1);
    }
  };
  return (
    <div className={styles.composer}>
      <Textarea
        aria-label="Message to send"
        placeholder={HINTS[form]}
        rows={3}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setBack(0);
          setError(null);
        }}
        onKeyDown={onKeyDown}
        error={error}
        spellCheck={false}
      />
      <div className={styles.composerBar}>
        <SegmentedControl
          aria-label="Form of the message"
          size="xs"
          value={form}
          onChange={(value) => setForm(value as Form)}
          data={[
            { value: "text", label: "Text" },
            { value: "json", label: "JSON" },
            { value: "binary", label: "Binary" },
          ]}
        />
        <span className={styles.hint}>Ctrl-Enter sends, ↑ brings back</span>
        <Button onClick={send} disabled={!props.open}>
          Send
        </Button>
      </div>
    </div>
  );
}
