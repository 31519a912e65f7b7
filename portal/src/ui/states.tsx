// The states of a page that is not there yet, or not at all: loading, empty, error, forbidden.
import { Button, Skeleton } from "@mantine/core";
import type { ReactNode } from "react";
import { type Problem, wayOut } from "../api/problem";
import { useSessionHeld } from "../api/session";
import { Notice } from "./notice";
import styles from "./ui.module.css";

/** Grey lines where content will be; they appear only when it takes longer than 150 ms. */
export function Loading({ lines = 4, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div className={`${styles.stack} ${styles.late}`} role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={line === 0 ? 32 : 64} />
      ))}
    </div>
  );
}

/** What a list is for, and the first step. */
export function Empty(props: { title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <h2>{props.title}</h2>
      <div className={styles.emptyText}>{props.children}</div>
      {props.action}
    </div>
  );
}

/** A problem with its title, detail, way out, and the request id to quote. */
export function ProblemNotice(props: {
  problem: Problem;
  onRetry?: () => void;
  extra?: string[];
  action?: ReactNode;
}) {
  const { problem } = props;
  const held = useSessionHeld();
  // Who has signed in again since is not asked to.
  if (problem.isOfSession && held) return null;
  const passing = problem.isPassing || problem.isForbidden;
  // What stands beside its field is not said a second time.
  const beside = problem.errors.some((error) => error.detail === problem.detail);
  return (
    <Notice tone={passing ? "warn" : "bad"} title={problem.title} live>
      <div className={styles.stack}>
        <div>
          {problem.detail && !beside && <p>{problem.detail}</p>}
          {props.extra?.map((line) => (
            <p key={line}>{line}</p>
          ))}
          {wayOut(problem) && <p>{wayOut(problem)}</p>}
          {problem.instance && (
            <p className={styles.dim}>
              Request <code>{problem.instance}</code>
            </p>
          )}
        </div>
        {(props.onRetry || props.action) && (
          <div className={styles.row}>
            {props.onRetry && (
              <Button size="xs" variant="default" onClick={props.onRetry}>
                Try again
              </Button>
            )}
            {props.action}
          </div>
        )}
      </div>
    </Notice>
  );
}

/** Someone else changed it: both versions, and a choice. */
export function StaleNotice(props: {
  rows: { field: string; mine: string; theirs: string }[];
  onKeepMine: () => void;
  onTakeTheirs: () => void;
  busy?: boolean;
}) {
  return (
    <Notice tone="warn" title="Someone else changed this while you were editing" live>
      <div className={styles.stack}>
        {props.rows.length === 0 ? (
          <p>Their change does not touch what you typed. Save again to keep both.</p>
        ) : (
          <div className={styles.tableWrap}>
            <table className={styles.table}>
              <thead>
                <tr>
                  <th scope="col">Field</th>
                  <th scope="col">Yours</th>
                  <th scope="col">Theirs</th>
                </tr>
              </thead>
              <tbody>
                {props.rows.map((row) => (
                  <tr key={row.field}>
                    <td>{row.field}</td>
                    <td className="mono">{row.mine || "–"}</td>
                    <td className="mono">{row.theirs || "–"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <div className={styles.row}>
          <Button size="xs" loading={props.busy ?? false} onClick={props.onKeepMine}>
            Save mine
          </Button>
          <Button size="xs" variant="default" onClick={props.onTakeTheirs}>
            Take theirs
          </Button>
        </div>
      </div>
    </Notice>
  );
}
