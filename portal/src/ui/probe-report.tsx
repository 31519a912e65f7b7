// What *Test endpoint* found, told like a person: step by step, where it stopped, what to try.
import type { ProbeReport } from "../api/types";
import { duration } from "../lib/format";
import { Notice } from "./notice";
import styles from "./ui.module.css";

const DONE: Record<string, string> = {
  parse: "Address understood",
  credential: "Token for the backend received",
  resolve: "Host found",
  connect: "Connected",
  tls: "TLS established",
  handshake: "WebSocket handshake answered with 101",
  ping: "Ping came back",
};
const FAILED: Record<string, string> = {
  parse: "Address not understood",
  credential: "No token for the backend",
  resolve: "Host not found",
  connect: "Not connected",
  tls: "TLS not established",
  handshake: "WebSocket handshake not accepted",
  ping: "No answer to a ping",
};

export function ProbeReportView({ report }: { report: ProbeReport }) {
  const ok = report.outcome === "ok";
  const total = report.steps.reduce((sum, step) => sum + step.millis, 0);
  return (
    <Notice
      tone={ok ? "good" : "bad"}
      title={
        ok
          ? `The backend answers (${duration(Math.max(1, Math.round(total)))})`
          : "The backend does not answer"
      }
      live
    >
      <ol className={styles.steps}>
        {report.steps.map((step) => (
          <li key={step.step} className={`${styles.step} ${step.ok ? styles.good : styles.bad}`}>
            <span className={styles.stepSign} aria-hidden="true">
              {step.ok ? "✓" : "✕"}
            </span>
            <span>
              {step.ok ? step.detail || DONE[step.step] || step.step : (FAILED[step.step] ?? step.step)}
              {!step.ok && step.detail && ` – ${step.detail}`}
            </span>
            <span className={styles.dim}>{duration(Math.round(step.millis))}</span>
          </li>
        ))}
      </ol>
      {report.advice && <p>{report.advice}</p>}
    </Notice>
  );
}
