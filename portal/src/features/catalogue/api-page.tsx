// One API of the catalogue: what it does, where it answers, plans side by side, how to connect.
import { Anchor, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { subscriptionsQuery } from "../../api/applications";
import { catalogueApiQuery } from "../../api/catalogue";
import { asProblem } from "../../api/problem";
import { useCan, useSession } from "../../api/session";
import type { CatalogueApi } from "../../api/types";
import { useHeldToken } from "../../lib/held-token";
import { paths } from "../../lib/paths";
import { Address } from "../../ui/copy";
import { Badge, DemoBadge, Notice } from "../../ui/notice";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { PlanCards } from "../../ui/plans";
import { SnippetTabs } from "../../ui/snippet-tabs";
import { Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";

export function Component() {
  const { id = "" } = useParams();
  const api = useQuery(catalogueApiQuery(id));
  if (api.isPending) return <Loading />;
  if (api.isError) {
    const back = (
      <Anchor component={Link} to={paths.catalogue()}>
        The catalogue
      </Anchor>
    );
    const problem = asProblem(api.error);
    return (
      <ProblemNotice
        problem={problem}
        action={back}
        {...(!problem.isNotFound && { onRetry: () => api.refetch() })}
      />
    );
  }
  return <ApiView api={api.data} />;
}

function ApiView({ api }: { api: CatalogueApi }) {
  const token = useHeldToken(api.id);
  const developer = useCan("app_manage");
  const session = useSession();
  const mayGetKey = developer || !session.data;
  return (
    <Measure>
      <title>{`${api.name} ${api.version} · Tidegate developer portal`}</title>
      <PageHead
        crumbs={[
          <Anchor key="c" component={Link} to={paths.catalogue()} inherit>
            Catalogue
          </Anchor>,
          <code key="x">{api.context}</code>,
        ]}
        title={api.name}
        version={api.version}
        badge={
          <>
            {api.state === "prototyped" && <Badge tone="accent">Pre-released</Badge>}
            {api.demo && <DemoBadge />}
          </>
        }
        action={
          <Row>
            <Button component={Link} to={paths.console(api.id)} variant="default">
              Open console
            </Button>
            {mayGetKey && (
              <Button component={Link} to={paths.keyWizard(api.id)}>
                Get a key
              </Button>
            )}
          </Row>
        }
      />
      <Stack>
        <Card title="What it does">
          <p style={{ whiteSpace: "pre-line" }}>
            {api.description || "Its creator has not described it yet."}
          </p>
        </Card>
        <Card title="Where it answers">
          <Stack>
            <Address value={api.urls.ws} label="ws address" />
            <Address value={api.urls.wss} label="wss address" />
          </Stack>
        </Card>
        <Card title="Plans" aside={!session.data && <Dim>Sign in to subscribe</Dim>}>
          {api.state === "prototyped" ? (
            <Notice tone="accent" title="Shown early">
              Any application's token connects, without a subscription.
            </Notice>
          ) : api.plans.length === 0 ? (
            <Dim>No plan is offered yet.</Dim>
          ) : (
            <PlanCards plans={api.plans} />
          )}
        </Card>
        {developer && <OwnSubscriptions api={api} />}
        <Card title="Connect">
          <SnippetTabs url={api.urls.ws} token={token} />
        </Card>
      </Stack>
    </Measure>
  );
}

function OwnSubscriptions({ api }: { api: CatalogueApi }) {
  const subscriptions = useQuery(subscriptionsQuery({ api: api.id }));
  if (!subscriptions.data || subscriptions.data.length === 0) return null;
  return (
    <Card title="Your subscriptions">
      <Table caption="Your subscriptions to this API" head={["Application", "Plan", "Since", "Next"]}>
        {subscriptions.data.map((subscription) => (
          <tr key={subscription.id}>
            <td>
              <Anchor component={Link} to={paths.application(subscription.application.id)} inherit>
                {subscription.application.name}
              </Anchor>
            </td>
            <td>{subscription.plan}</td>
            <td>
              <When at={subscription.created_at} />
            </td>
            <td>
              <Anchor component={Link} to={paths.keyWizard(api.id, subscription.application.id)} inherit>
                Keys and token
              </Anchor>
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}
