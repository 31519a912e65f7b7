// The overview of an API: where it answers, what is missing, its traffic, plans, endpoints, last changes.
import { Anchor } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { apiSubscriptionsQuery, changesQuery, trafficQuery } from "../../api/apis";
import { asProblem } from "../../api/problem";
import { useCan } from "../../api/session";
import { plansQuery } from "../../api/settings";
import type { Api } from "../../api/types";
import { count, planLimit, title } from "../../lib/format";
import { paths } from "../../lib/paths";
import { snippets } from "../../lib/snippets";
import { Address, CodeBlock } from "../../ui/copy";
import { Badge, StateBadge } from "../../ui/notice";
import { Card, Columns, Dim, Facts, numberCell, Stack, Table } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { TrafficView } from "../../ui/traffic-view";
import { When } from "../../ui/when";
import { useApi } from "./api-frame";
import { Checklist } from "./checklist";

export function Component() {
  const api = useApi();
  return (
    <>
      <title>{`${api.name} ${api.version} · Tidegate publisher`}</title>
      <Columns>
        <Card title="Where it answers">
          <Stack>
            <Address value={api.urls.ws} label="ws address" />
            <Address value={api.urls.wss} label="wss address" />
            {api.urls.default_ws && <Address value={api.urls.default_ws} label="default ws address" />}
            {api.urls.default_wss && <Address value={api.urls.default_wss} label="default wss address" />}
          </Stack>
        </Card>
        <Card title="State">
          <Facts
            of={[
              ["Lifecycle", <StateBadge key="s" state={api.state} />],
              [
                "Environments",
                (["production", "sandbox"] as const)
                  .filter((environment) => api.endpoints[environment])
                  .map(title)
                  .join(", ") || "none yet",
              ],
              ["Live", api.live ? <LiveSince key="l" live={api.live} /> : "nothing is deployed yet"],
              ["Default version", api.is_default_version ? (api.live ? "yes" : "when it goes live") : "no"],
              ["Owner", api.owner],
            ]}
          />
        </Card>
      </Columns>
      <Checklist api={api} />
      <TrafficCard api={api} />
      <Columns>
        <PlansCard api={api} />
        <EndpointsCard api={api} />
      </Columns>
      <ChangesCard api={api} />
    </>
  );
}

function LiveSince({ live }: { live: NonNullable<Api["live"]> }) {
  return (
    <>
      Revision {live.revision}, deployed <When at={live.deployed_at} />
    </>
  );
}

function TrafficCard({ api }: { api: Api }) {
  const traffic = useQuery(trafficQuery(api.id));
  const totals = traffic.data?.totals;
  const silent =
    totals !== undefined && totals.sessions + totals.refusals === 0 && traffic.data?.sessions_open === 0;
  return (
    <Card
      title="Traffic"
      aside={
        traffic.data && (
          <Dim>
            {traffic.isError ? "Not up to date: Tidegate does not answer" : "Moves every 2 seconds"}
            {". Times are local."}
          </Dim>
        )
      }
    >
      {traffic.isPending ? (
        <Loading lines={3} />
      ) : !traffic.data ? (
        <ProblemNotice problem={asProblem(traffic.error)} onRetry={() => traffic.refetch()} />
      ) : silent ? (
        <FirstMessage api={api} />
      ) : (
        <TrafficView traffic={traffic.data} />
      )}
    </Card>
  );
}

function FirstMessage({ api }: { api: Api }) {
  const [command] = snippets(api.urls.ws, null);
  const developer = useCan("app_manage");
  const listed = api.state === "published" || api.state === "prototyped";
  return (
    <Stack>
      <p>No session has been opened yet. To send the first message:</p>
      {listed ? (
        <p>
          {developer ? (
            <Anchor component={Link} to={paths.keyWizard(api.id)} inherit>
              Get a key in the developer portal
            </Anchor>
          ) : (
            "A developer gets a key in the developer portal"
          )}
          , then paste this with the access token in place of <code>$TOKEN</code>:
        </p>
      ) : (
        <p>Publish the API first; then a developer can subscribe, get an access token, and paste this:</p>
      )}
      {command && <CodeBlock text={command.text} label="first message command" />}
    </Stack>
  );
}

function PlansCard({ api }: { api: Api }) {
  const plans = useQuery(plansQuery);
  const subscriptions = useInfiniteQuery(apiSubscriptionsQuery(api.id));
  const all = subscriptions.data?.pages.flatMap((page) => page.items) ?? [];
  const more = subscriptions.hasNextPage ? "+" : "";
  return (
    <Card
      title="Plans"
      aside={
        <Anchor component={Link} to={paths.api(api.id, "subscriptions")} inherit>
          Subscriptions
        </Anchor>
      }
    >
      {api.plans.length === 0 ? (
        <Dim>No business plan is chosen yet.</Dim>
      ) : (
        <Table caption="Plans and their subscriptions" head={["Plan", "Allows", { number: "Subscriptions" }]}>
          {api.plans.map((name) => {
            const plan = plans.data?.find((known) => known.name === name);
            const held = all.filter((subscription) => subscription.plan === name).length;
            return (
              <tr key={name}>
                <td>{plan?.display_name ?? name}</td>
                <td>{plan && planLimit(plan)}</td>
                <td className={numberCell}>{subscriptions.isSuccess ? `${count(held)}${more}` : "…"}</td>
              </tr>
            );
          })}
        </Table>
      )}
    </Card>
  );
}

function EndpointsCard({ api }: { api: Api }) {
  const rows = (["production", "sandbox"] as const).flatMap((environment) => {
    const endpoint = api.endpoints[environment];
    return endpoint ? [{ environment, url: endpoint.url }] : [];
  });
  return (
    <Card
      title="Endpoints"
      aside={
        <Anchor component={Link} to={paths.api(api.id, "endpoints")} inherit>
          Test endpoints
        </Anchor>
      }
    >
      {rows.length === 0 ? (
        <Dim>No endpoint is set yet.</Dim>
      ) : (
        <Table caption="Endpoints of the working copy" head={["Environment", "Address"]}>
          {rows.map((row) => (
            <tr key={row.environment}>
              <td>
                <Badge tone="calm">{title(row.environment)}</Badge>
              </td>
              <td className="mono">{row.url}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

function ChangesCard({ api }: { api: Api }) {
  const changes = useQuery(changesQuery(api.id));
  return (
    <Card title="Last changes">
      {changes.isPending ? (
        <Loading lines={2} />
      ) : changes.isError ? (
        <ProblemNotice problem={asProblem(changes.error)} onRetry={() => changes.refetch()} />
      ) : (
        <Table caption="Last changes, newest first" head={["When", "Who", "What"]}>
          {changes.data.map((change) => (
            <tr key={`${change.at}-${change.action}-${change.detail}`}>
              <td>
                <When at={change.at} />
              </td>
              <td>{change.by}</td>
              <td>
                {title(change.action)}
                {change.detail && <Dim> – {change.detail}</Dim>}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
