// One message whole: JSON folded, text as it is, binary as hexadecimal.
import { Button } from "@mantine/core";
import { toHex } from "../../lib/bytes";
import { exactTime, size } from "../../lib/format";
import { Copy } from "../../ui/copy";
import type { Entry } from "./connection";
import styles from "./console.module.css";

/** Bytes of a binary message that are written out. */
const BYTES_SHOWN = 4_096;
/** Depth to which JSON is open at first. */
const DEPTH_OPEN = 1;

function parsed(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function MessageDetail({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const text = typeof entry.data === "string" ? entry.data : toHex(entry.data, BYTES_SHOWN);
  const json = typeof entry.data === "string" ? parsed(entry.data) : undefined;
  return (
    <section className={styles.detail} aria-label="Message">
      <div className={styles.detailHead}>
        <strong>
          {entry.kind === "sent" ? "Sent" : entry.kind === "received" ? "Received" : "Note"}
          {entry.kind !== "note" &&
            `, ${size(entry.bytes)}${typeof entry.data === "string" ? "" : ", binary"}`}
        </strong>
        <time className={styles.meta}>{exactTime(new Date(entry.at).toISOString())}</time>
        <Copy value={text} label="message" />
        <Button size="compact-sm" variant="default" onClick={onClose}>
          Close
        </Button>
      </div>
      <div className={styles.detailBody} tabIndex={0}>
        {json === undefined ? (
          <pre className={styles.whole}>{text}</pre>
        ) : (
          <JsonNode value={json} depth={0} />
        )}
      </div>
    </section>
  );
}

function JsonNode({ name, value, depth }: { name?: string; value: unknown; depth: number }) {
  const label = name === undefined ? null : <span className={styles.jsonName}>{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className={styles.jsonLeaf}>
        {label}
        <code>{JSON.stringify(value)}</code>
      </div>
    );
  }
  const entries = Object.entries(value);
  const shape = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <details className={styles.jsonNode} open={depth < DEPTH_OPEN}>
      <summary>
        {label}
        <code>{shape}</code>
      </summary>
      {entries.map(([key, inner]) => (
        <JsonNode key={key} name={key} value={inner} depth={depth + 1} />
      ))}
    </details>
  );
}
