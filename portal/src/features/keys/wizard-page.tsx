// The key generation wizard: application, plan, keys, token; four short steps on one page, each with its default
// chosen, ending with a token, a command to paste, and the console.
import { Anchor, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { applicationsQuery, keysQuery, subscriptionsQuery } from "../../api/applications";
import { catalogueApiQuery } from "../../api/catalogue";
import { asProblem } from "../../api/problem";
import { useSession } from "../../api/session";
import { settingsQuery } from "../../api/settings";
import type { Application, CatalogueApi, Environment, Settings } from "../../api/types";
import { paths } from "../../lib/paths";
import { Measure, PageHead, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { ApplicationStep } from "./application-step";
import { KeysStep } from "./keys-step";
import { PlanStep } from "./plan-step";
import { TokenStep } from "./token-step";

export function Component() {
  const { id = "" } = useParams();
  const api = useQuery(catalogueApiQuery(id));
  const applications = useQuery(applicationsQuery);
  const settings = useQuery(settingsQuery);
  const failed = [api, applications, settings].find((query) => query.isError);
  if (failed) return <ProblemNotice problem={asProblem(failed.error)} onRetry={() => failed.refetch()} />;
  if (!api.data || !applications.data || !settings.data) return <Loading />;
  return (
    <Measure>
      <title>{`Get a key · ${api.data.name}`}</title>
      <PageHead
        crumbs={[
          <Anchor key="c" component={Link} to={paths.catalogue()} inherit>
            Catalogue
          </Anchor>,
          <Anchor key="a" component={Link} to={paths.catalogueApi(id)} inherit>
            {api.data.name} {api.data.version}
          </Anchor>,
        ]}
        title="Get a key"
        action={
          <Button component={Link} to={paths.console(id)} variant="default">
            Open console
          </Button>
        }
      />
      <Wizard api={api.data} applications={applications.data} settings={settings.data} />
    </Measure>
  );
}

function Wizard(props: { api: CatalogueApi; applications: Application[]; settings: Settings }) {
  const { api, applications } = props;
  const [search, setSearch] = useSearchParams();
  const chosen = search.get("application") ?? "";
  // An administrator reads everybody's: a link may lead to another person's, one's own are offered.
  const application = applications.find((any) => any.id === chosen) ?? null;
  const { data: session } = useSession();
  const own = applications.filter((any) => any.owner === session?.user.username);
  const [environment, setEnvironment] = useState<Environment>("production");
  const subscriptions = useQuery({ ...subscriptionsQuery({ api: api.id }), enabled: application !== null });
  const keys = useQuery(keysQuery(application?.id ?? ""));
  const subscription = subscriptions.data?.find((held) => held.application.id === application?.id) ?? null;
  const subscribed = subscription !== null || (application !== null && api.state === "prototyped");
  const key = keys.data?.find((held) => held.type === environment) ?? null;
  return (
    <Stack>
      <ApplicationStep
        applications={own}
        chosen={application}
        onChoose={(id) => setSearch(id === "" ? {} : { application: id }, { replace: true })}
      />
      <PlanStep
        api={api}
        application={application}
        subscription={subscription}
        reading={subscriptions.isLoading}
      />
      <KeysStep
        key={application?.id ?? ""}
        application={application}
        open={subscribed}
        environment={environment}
        onEnvironment={setEnvironment}
        held={key}
        tokenUrl={props.settings.token_url}
      />
      <TokenStep
        api={api}
        application={application}
        clientId={subscribed ? (key?.client_id ?? null) : null}
      />
    </Stack>
  );
}
