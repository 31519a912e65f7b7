// Who is subscribed to the API, and under which plan.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { apiSubscriptionsQuery } from "../../api/apis";
import { asProblem } from "../../api/problem";
import { Card, Stack, Table } from "../../ui/page";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { useApi } from "./api-frame";

export function Component() {
  const api = useApi();
  const subscriptions = useInfiniteQuery(apiSubscriptionsQuery(api.id));
  const items = subscriptions.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <title>{`Subscriptions · ${api.name}`}</title>
      <Card title="Subscriptions">
        {subscriptions.isPending ? (
          <Loading />
        ) : subscriptions.isError ? (
          <ProblemNotice problem={asProblem(subscriptions.error)} onRetry={() => subscriptions.refetch()} />
        ) : items.length === 0 ? (
          <Empty title="No subscriptions yet">
            {api.state === "published"
              ? "Developers find the API in the developer portal and subscribe one of their applications."
              : "Developers can subscribe once the API is published."}
          </Empty>
        ) : (
          <Stack>
            <Table caption="Subscriptions" head={["Application", "Owner", "Plan", "Since"]}>
              {items.map((subscription) => (
                <tr key={subscription.id}>
                  <td>{subscription.application.name}</td>
                  <td>{subscription.application.owner}</td>
                  <td>{subscription.plan}</td>
                  <td>
                    <When at={subscription.created_at} />
                  </td>
                </tr>
              ))}
            </Table>
            {subscriptions.hasNextPage && (
              <Button
                variant="default"
                loading={subscriptions.isFetchingNextPage}
                onClick={() => subscriptions.fetchNextPage()}
              >
                Show more
              </Button>
            )}
          </Stack>
        )}
      </Card>
    </>
  );
}
