// What an application is subscribed to, what is used of it, and how to end it.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { applicationTrafficQuery, liveSubscriptionsQuery, useUnsubscribe } from "../../api/applications";
import { asProblem } from "../../api/problem";
import type { Subscription } from "../../api/types";
import { counted } from "../../lib/format";
import { paths } from "../../lib/paths";
import { Confirm } from "../../ui/confirm";
import { Card, Row, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { UsageMeters } from "../../ui/usage";
import { When } from "../../ui/when";
import { useApplication } from "./application-frame";

export function Component() {
  const application = useApplication();
  const subscriptions = useQuery(liveSubscriptionsQuery({ application: application.id }));
  const traffic = useQuery(applicationTrafficQuery(application.id));
  const remove = useUnsubscribe();
  const [asked, setAsked] = useState<Subscription | null>(null);
  return (
    <>
      <title>{`Subscriptions · ${application.name}`}</title>
      <Card
        title="Subscriptions"
        aside={
          <Anchor component={Link} to={paths.catalogue()} inherit>
            Find an API
          </Anchor>
        }
      >
        {subscriptions.isPending ? (
          <Loading />
        ) : subscriptions.isError ? (
          <ProblemNotice problem={asProblem(subscriptions.error)} onRetry={() => subscriptions.refetch()} />
        ) : subscriptions.data.length === 0 ? (
          <Empty title="Not subscribed to anything yet">
            Choose an API in the catalogue and press “Get a key”: it subscribes this application under a plan.
          </Empty>
        ) : (
          <Table caption="Subscriptions" head={["API", "Plan", "Used", "Since", "Actions"]}>
            {subscriptions.data.map((subscription) => (
              <tr key={subscription.id}>
                <td>
                  <Anchor component={Link} to={paths.catalogueApi(subscription.api.id)} inherit>
                    {subscription.api.name} {subscription.api.version}
                  </Anchor>
                </td>
                <td>{subscription.plan}</td>
                <td>
                  <UsageMeters
                    usage={subscription.usage}
                    of={`${subscription.api.name} ${subscription.api.version}`}
                  />
                </td>
                <td>
                  <When at={subscription.created_at} />
                </td>
                <td>
                  <Row>
                    <Anchor component={Link} to={paths.console(subscription.api.id, application.id)} inherit>
                      Console
                    </Anchor>
                    <RowAction
                      name={`Unsubscribe from ${subscription.api.name} ${subscription.api.version}`}
                      onClick={() => setAsked(subscription)}
                    >
                      Unsubscribe
                    </RowAction>
                  </Row>
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
      <Confirm
        opened={asked !== null}
        title={`Unsubscribe from ${asked?.api.name ?? ""}?`}
        action="Unsubscribe"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate({ id: asked.id }, { onSuccess: () => setAsked(null) })}
      >
        <p>
          Sessions of {application.name} on this API close within a second. The application has{" "}
          {counted(traffic.data?.sessions_open ?? 0, "session")} open now, over all APIs.
        </p>
        {remove.error && <ProblemNotice problem={remove.error} />}
      </Confirm>
    </>
  );
}
