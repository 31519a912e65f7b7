// One step of the wizard: its number, whether it is done, open or waiting, and its content when it is not waiting.
import type { ReactNode } from "react";
import styles from "./keys.module.css";

export function Step(props: {
  number: number;
  title: string;
  state: "done" | "open" | "waiting";
  children: ReactNode;
}) {
  const words = { done: "done", open: "now", waiting: "waits for the step before" };
  return (
    <section
      className={styles.step}
      data-state={props.state}
      aria-label={`Step ${props.number}: ${props.title}`}
    >
      <div className={styles.sign} aria-hidden="true">
        {props.state === "done" ? "✓" : props.number}
      </div>
      <div className={styles.body}>
        <h2>
          {props.title} <span className={styles.state}>{words[props.state]}</span>
        </h2>
        {props.state !== "waiting" && props.children}
      </div>
    </section>
  );
}
