// The overview of an application: what it is, and its traffic over all APIs.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { applicationTrafficQuery, applicationUsageQuery } from "../../api/applications";
import { asProblem } from "../../api/problem";
import { paths } from "../../lib/paths";
import { Card, Facts } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { TrafficView } from "../../ui/traffic-view";
import { UsageMeters } from "../../ui/usage";
import { When } from "../../ui/when";
import { useApplication } from "./application-frame";

export function Component() {
  const application = useApplication();
  const traffic = useQuery(applicationTrafficQuery(application.id));
  const usage = useQuery(applicationUsageQuery(application.id));
  const totals = traffic.data?.totals;
  const silent =
    totals !== undefined && totals.sessions + totals.refusals === 0 && traffic.data?.sessions_open === 0;
  return (
    <>
      <title>{`${application.name} · Tidegate developer portal`}</title>
      <Card title="What it is">
        <Facts
          of={[
            ["Description", application.description || "none"],
            ["Limit of its own", application.policy === "Unlimited" ? "none" : application.policy],
            [
              "Used of it",
              usage.isError ? (
                <ProblemNotice key="u" problem={asProblem(usage.error)} onRetry={() => usage.refetch()} />
              ) : usage.data ? (
                <UsageMeters key="u" usage={usage.data} of={application.name} />
              ) : (
                "…"
              ),
            ],
            ["Owner", application.owner],
            ...(application.registered_by === null
              ? []
              : [
                  ["Came from", `It registered itself by “${application.registered_by}”`] as [string, string],
                ]),
            ["Created", <When key="c" at={application.created_at} />],
          ]}
        />
      </Card>
      <Card title="Traffic">
        {traffic.isPending ? (
          <Loading lines={3} />
        ) : !traffic.data ? (
          <ProblemNotice problem={asProblem(traffic.error)} onRetry={() => traffic.refetch()} />
        ) : silent ? (
          <Empty title="No session has been opened yet">
            <Anchor component={Link} to={paths.catalogue()} inherit>
              Choose an API in the catalogue
            </Anchor>
            , get a token for it, and open its console.
          </Empty>
        ) : (
          <TrafficView traffic={traffic.data} />
        )}
      </Card>
    </>
  );
}
