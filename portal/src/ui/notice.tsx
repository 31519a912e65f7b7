// Messages in the page: what happened, in a tone told by sign and word as well as colour.
import type { ReactNode } from "react";
import styles from "./ui.module.css";

export type Tone = "good" | "warn" | "bad" | "calm" | "accent";

const SIGNS: Record<Tone, string> = { good: "✓", warn: "!", bad: "✕", calm: "i", accent: "i" };

export function Notice(props: { tone: Tone; title?: string; children?: ReactNode; live?: boolean }) {
  return (
    <div
      className={`${styles.notice} ${styles[props.tone]}`}
      {...(props.live && { role: props.tone === "bad" ? "alert" : "status" })}
    >
      <span className={styles.noticeSign} aria-hidden="true">
        {SIGNS[props.tone]}
      </span>
      <div className={styles.noticeBody}>
        {props.title && <div className={styles.noticeTitle}>{props.title}</div>}
        {props.children}
      </div>
    </div>
  );
}

export function Badge(props: { tone: Tone; mark?: string; children: ReactNode }) {
  return (
    <span className={`${styles.badge} ${styles[props.tone]}`}>
      {props.mark && (
        <span className={styles.mark} aria-hidden="true">
          {props.mark}
        </span>
      )}
      {props.children}
    </span>
  );
}

/** A lifecycle state by word, shape and colour. */
const STATES: Record<string, [Tone, string]> = {
  created: ["calm", "○"],
  prototyped: ["accent", "◐"],
  published: ["good", "●"],
  blocked: ["bad", "■"],
  deprecated: ["warn", "▽"],
  retired: ["calm", "✕"],
};

export function StateBadge({ state }: { state: string }) {
  const [tone, mark] = STATES[state] ?? ["calm", "○"];
  return (
    <Badge tone={tone} mark={mark}>
      {state.charAt(0).toUpperCase() + state.slice(1)}
    </Badge>
  );
}

export const DemoBadge = () => (
  <Badge tone="accent" mark="◇">
    Demo
  </Badge>
);
