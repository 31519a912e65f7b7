// Right of the console: state, age, messages and bytes; and after a close its code in words and what to do.
import { explainCode, explainReason } from "../../lib/close-codes";
import { count, duration, size } from "../../lib/format";
import { Notice } from "../../ui/notice";
import { Facts } from "../../ui/page";
import { useNow } from "../../ui/when";
import type { Ending, Snapshot } from "./connection";
import styles from "./console.module.css";

const WORDS: Record<Snapshot["state"], string> = {
  idle: "○ Not connected",
  connecting: "◐ Connecting",
  open: "● Open",
  closing: "◐ Closing",
  closed: "■ Closed",
};

export function StatusPanel({ now }: { now: Snapshot }) {
  const clock = useNow(1_000);
  const until = now.closedAt ?? clock;
  const age =
    now.openedAt === null
      ? "–"
      : duration(Math.max(1_000, Math.floor((until - now.openedAt) / 1_000) * 1_000));
  return (
    <aside className={styles.panel} aria-label="Session">
      <p role="status" className={styles.stateWord}>
        {WORDS[now.state]}
      </p>
      <Facts
        of={[
          ["Age", age],
          ["Sent", `${count(now.sent)} (${size(now.sentBytes)})`],
          ["Received", `${count(now.received)} (${size(now.receivedBytes)})`],
          ["Subprotocol", now.protocol && now.protocol !== "bearer" ? now.protocol : "none"],
        ]}
      />
      {now.ending && <CloseNotice ending={now.ending} neverOpen={now.openedAt === null} />}
    </aside>
  );
}

function CloseNotice({ ending, neverOpen }: { ending: Ending; neverOpen: boolean }) {
  const told = explainCode(ending.code);
  const calm = ending.code === 1000 || ending.code === 1001;
  const reason = explainReason(ending.reason);
  return (
    <Notice tone={calm ? "calm" : "bad"} title={`${ending.code} ${told.name}`} live>
      <p>
        {neverOpen && ending.code === 1006 ? "The connection was refused before it opened." : told.meaning}
      </p>
      {reason && <p>{reason}</p>}
      <p>
        <strong>What to do:</strong> {told.advice}
      </p>
    </Notice>
  );
}
