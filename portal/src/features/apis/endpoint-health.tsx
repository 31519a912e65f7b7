// How gateways find the addresses of an endpoint that is live: a row for each, read again while the page is open.
import { useQuery } from "@tanstack/react-query";
import { endpointsHealthQuery } from "../../api/apis";
import { asProblem } from "../../api/problem";
import type { Environment, TargetHealth } from "../../api/types";
import { count, counted } from "../../lib/format";
import { Badge, type Tone } from "../../ui/notice";
import { numberCell, Stack, Table } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import styles from "../../ui/ui.module.css";
import { When } from "../../ui/when";

const STATES: Record<string, [Tone, string, string]> = {
  up: ["good", "●", "Up"],
  suspended: ["warn", "◐", "Suspended"],
  unhealthy: ["bad", "✕", "Unhealthy"],
  unknown: ["calm", "○", "Not tried yet"],
};

/** Nothing while nothing of the API is live. */
export function EndpointHealth({ apiId, environment }: { apiId: string; environment: Environment }) {
  const health = useQuery(endpointsHealthQuery(apiId));
  if (health.isError)
    return <ProblemNotice problem={asProblem(health.error)} onRetry={() => health.refetch()} />;
  const targets = health.data?.[environment] ?? [];
  if (targets.length === 0) return null;
  return (
    <div className={styles.beneath}>
      <Table
        caption={`Health of the ${environment} addresses that are live`}
        head={["Live address", "State", { number: "Sessions open" }, "Last check"]}
      >
        {targets.map((target) => (
          <tr key={target.url}>
            <td className="mono">{target.url}</td>
            <td>
              <State {...target} />
            </td>
            <td className={numberCell}>{count(target.sessions_open)}</td>
            <td>
              {target.last_check ? (
                <>
                  {target.last_check.ok ? "Passed" : "Failed"} <When at={target.last_check.at} />
                </>
              ) : (
                "never"
              )}
            </td>
          </tr>
        ))}
      </Table>
    </div>
  );
}

/** The worst that a gateway found, and how many find it better. */
function State({ state, gateways, up, failures, suspended_seconds }: TargetHealth) {
  const [tone, mark, word] = STATES[state] ?? ["calm", "○", state];
  const told = [
    ...(failures > 0 ? [`${counted(failures, "failure")} in a row`] : []),
    ...(suspended_seconds > 0 ? [`tried again in ${count(suspended_seconds)} s`] : []),
    ...(gateways > 1 ? [`up on ${up} of ${gateways} gateways`] : []),
  ];
  return (
    <Stack>
      <div>
        <Badge tone={tone} mark={mark}>
          {word}
        </Badge>
      </div>
      {told.length > 0 && <div>{told.join("; ")}</div>}
    </Stack>
  );
}
