// The gateways that are connected: what each carries, and with whom it holds budgets.
import { useQuery } from "@tanstack/react-query";
import { gatewaysQuery } from "../../api/gateways";
import type { Gateway } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { count, counted } from "../../lib/format";
import { Notice } from "../../ui/notice";
import { Card, Dim, Measure, numberCell, PageHead, Stack, Table } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { ADMIN_CRUMB } from "./crumb";

export function Component() {
  return (
    <Measure>
      <title>Running gateways · Tidegate</title>
      <PageHead title="Running gateways" crumbs={[ADMIN_CRUMB]} />
      <Card title="Connected">
        <Connected />
      </Card>
    </Measure>
  );
}

function Connected() {
  const gateways = useQuery(gatewaysQuery);
  if (gateways.isPending) return <Loading lines={2} />;
  if (gateways.isError) {
    return <ProblemNotice problem={asProblem(gateways.error)} onRetry={() => gateways.refetch()} />;
  }
  if (gateways.data.length === 0) {
    return <Empty title="No gateway is connected">Clients cannot connect before one is.</Empty>;
  }
  const lost = gateways.data.filter(({ sharing }) => sharing && sharing.state !== "together");
  return (
    <Stack>
      {lost.length > 0 && (
        <Notice tone="warn" live title="Limits are not held together now">
          {lost.some(({ sharing }) => sharing?.when_alone === "closed")
            ? "Gateways let nothing begin beyond what they were granted, as --redis-lost closed says. "
            : "Each gateway goes on with its part of the limits, as --redis-lost share says. "}
          Look after Redis; the gateways go on together by themselves once it answers.
        </Notice>
      )}
      <Table
        caption="Gateways that are connected"
        head={["Gateway", "Connected", "Clients", { number: "Sessions open" }, "Limits", "Redis"]}
      >
        {gateways.data.map((gateway) => (
          <tr key={gateway.id}>
            <td className="mono">{gateway.id}</td>
            <td>
              <When at={gateway.connected_at} />
            </td>
            <td>{gateway.ready ? "admitted" : "not yet"}</td>
            <td className={numberCell}>{count(gateway.sessions_open)}</td>
            <td>{together(gateway)}</td>
            <td>{redis(gateway)}</td>
          </tr>
        ))}
      </Table>
      <Dim>
        Gateways that are given the same Redis hold every limit together. Without one, each counts by itself.
      </Dim>
    </Stack>
  );
}

function together({ sharing }: Gateway) {
  if (!sharing) return "by itself";
  const what = {
    together: `held by ${counted(sharing.gateways, "gateway")} together`,
    settling: "by itself, until all have told what they hold",
    alone: "by itself: Redis does not answer",
  }[sharing.state];
  return (
    <>
      {what ?? sharing.state} since <When at={sharing.since} />
    </>
  );
}

function redis({ sharing }: Gateway): string {
  if (!sharing) return "–";
  const trip =
    sharing.round_trip_us === null ? "no answer yet" : `answers in ${count(sharing.round_trip_us)} µs`;
  return `${trip}; ${counted(sharing.unanswered, "question")} without an answer`;
}
