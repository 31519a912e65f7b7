// Who is subscribed to the API, under which plan, and what is used of it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { apiSubscriptionsQuery } from "../../api/apis";
import { PagedList } from "../../ui/list";
import { Card, Table } from "../../ui/page";
import { Empty } from "../../ui/states";
import { UsageMeters } from "../../ui/usage";
import { When } from "../../ui/when";
import { useApi } from "./api-frame";

export function Component() {
  const api = useApi();
  const subscriptions = useInfiniteQuery(apiSubscriptionsQuery(api.id));
  return (
    <>
      <title>{`Subscriptions · ${api.name}`}</title>
      <Card title="Subscriptions">
        <PagedList
          of={subscriptions}
          empty={
            <Empty title="No subscriptions yet">
              {api.state === "published"
                ? "Developers find the API in the developer portal and subscribe one of their applications."
                : "Developers can subscribe once the API is published."}
            </Empty>
          }
        >
          {(items) => (
            <Table caption="Subscriptions" head={["Application", "Owner", "Plan", "Used", "Since"]}>
              {items.map((subscription) => (
                <tr key={subscription.id}>
                  <td>{subscription.application.name}</td>
                  <td>{subscription.application.owner}</td>
                  <td>{subscription.plan}</td>
                  <td>
                    <UsageMeters usage={subscription.usage} of={subscription.application.name} />
                  </td>
                  <td>
                    <When at={subscription.created_at} />
                  </td>
                </tr>
              ))}
            </Table>
          )}
        </PagedList>
      </Card>
    </>
  );
}
