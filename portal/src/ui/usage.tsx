// What is used of a plan or policy, limit by limit: a bar to be seen, and the same in words.
import type { LimitUsage, Usage } from "../api/types";
import { title, usedInWords, windowInWords } from "../lib/format";
import { Dim } from "./page";
import styles from "./ui.module.css";
import { When } from "./when";

/** From so much of a limit on, it is shown as nearly used up. */
const NEARLY = 0.8;

/** What a plan gives and has given. `of` says whose it is, for those who hear the page. */
export function UsageMeters({ usage, of }: { usage: Usage | null; of: string }) {
  if (!usage) return <Dim>not known to the gateways yet</Dim>;
  if (usage.unlimited) return <Dim>Unlimited</Dim>;
  return (
    <div className={styles.usages}>
      {usage.limits.map((limit) => (
        <LimitMeter
          key={`${limit.unit} ${limit.per} ${limit.counting} ${limit.direction}`}
          limit={limit}
          of={of}
        />
      ))}
    </div>
  );
}

function LimitMeter({ limit, of }: { limit: LimitUsage; of: string }) {
  const { used, most } = limit;
  // Of a second nothing is told: it is over before it could be shown.
  if (used === null) return <Dim>{windowInWords(limit)}</Dim>;
  const share = most > 0 ? Math.min(1, used / most) : 1;
  const state = share >= 1 ? "full" : share >= NEARLY ? "nearly" : "fine";
  return (
    <div className={styles.usage}>
      <meter
        className={styles.usageBar}
        aria-label={`${title(limit.unit)} per ${limit.per} used by ${of}`}
        aria-valuetext={usedInWords(limit)}
        max={most}
        value={Math.min(used, most)}
        data-state={state}
      />
      <span>{usedInWords(limit)}</span>
      {limit.renewed_at && used > 0 && (
        <Dim>
          {" "}
          · {limit.counting === "sliding" ? "all back" : "anew"} <When at={limit.renewed_at} />
        </Dim>
      )}
    </div>
  );
}
