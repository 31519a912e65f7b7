// Alerts as a card, wherever they are shown: what was used up, of what, and when there is more.
import { useInfiniteQuery } from "@tanstack/react-query";
import { type AlertFilter, alertsQuery } from "../../api/alerts";
import type { Alert } from "../../api/generated";
import { alertInWords } from "../../lib/format";
import { PagedList } from "../../ui/list";
import { Badge } from "../../ui/notice";
import { Card, Dim, Table } from "../../ui/page";
import { Empty } from "../../ui/states";
import { When } from "../../ui/when";

/** What the policy is called at each level. */
const POLICIES: Record<string, string> = {
  subscription: "plan",
  application: "application policy",
  api: "API policy",
  topic: "policy of the topic",
};

export function AlertCard({ filter, about }: { filter: AlertFilter; about: string }) {
  const alerts = useInfiniteQuery(alertsQuery(filter));
  return (
    <Card title="Alerts">
      <PagedList of={alerts} empty={<Empty title="No alerts">{about}</Empty>}>
        {(items) => (
          <Table caption="Alerts" head={["Reached", "Used", "Of", "By", "When", "Anew"]}>
            {items.map((alert) => (
              <tr key={alert.id}>
                <td>
                  <Badge
                    tone={alert.threshold >= 100 ? "bad" : "warn"}
                    mark={alert.threshold >= 100 ? "■" : "▲"}
                  >
                    {alert.threshold} %
                  </Badge>
                </td>
                <td>{alertInWords(alert)}</td>
                <td>
                  {alert.policy} <Dim>{POLICIES[alert.level] ?? alert.level}</Dim>
                </td>
                <td>{whose(alert)}</td>
                <td>
                  <When at={alert.at} />
                </td>
                <td>
                  <When at={alert.renewed_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
    </Card>
  );
}

/** Who has used it: names at that time, since an alert outlives what it is about. */
function whose({ application, api, topic }: Alert): string {
  const of = api && `${api.name} ${api.version}${topic ? `, topic ${topic}` : ""}`;
  if (application && of) return `${application.name} on ${of}`;
  return application?.name ?? (of ? `everybody on ${of}` : "–");
}
