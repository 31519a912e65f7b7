// What can be copied, with its button.
import { Button, CopyButton } from "@mantine/core";
import styles from "./ui.module.css";

export function Copy({ value, label }: { value: string; label: string }) {
  return (
    <CopyButton value={value} timeout={2_000}>
      {({ copied, copy }) => (
        <Button
          size="compact-sm"
          variant="default"
          onClick={copy}
          aria-label={copied ? `${label} copied` : `Copy ${label}`}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      )}
    </CopyButton>
  );
}

/** An address, token or command in monospace with its copy button. */
export function Address({ value, label, long }: { value: string; label: string; long?: boolean }) {
  return (
    <div className={styles.address}>
      <code className={styles.addressText} data-long={long}>
        {value}
      </code>
      <Copy value={value} label={label} />
    </div>
  );
}

/** Several lines of code with a copy button above them. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className={styles.stack}>
      <pre className={styles.code}>{text}</pre>
      <div>
        <Copy value={text} label={label} />
      </div>
    </div>
  );
}
