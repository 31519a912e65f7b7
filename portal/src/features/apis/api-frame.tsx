// The frame of one API: its head, the left list of its pages, and the banner while the working copy is not live.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, NavLink, Outlet, useOutletContext, useParams } from "react-router";
import { apiQuery } from "../../api/apis";
import { asProblem } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api } from "../../api/types";
import { type ApiPage, paths } from "../../lib/paths";
import { DemoBadge, StateBadge } from "../../ui/notice";
import { PageHead, SideLayout, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { DiffersBanner } from "./differs-banner";

/** The API of the pages inside the frame. */
export const useApi = () => useOutletContext<Api>();

export function Component() {
  const { id = "" } = useParams();
  const api = useQuery(apiQuery(id));
  const create = useCan("api_create");
  const publish = useCan("api_publish");
  if (api.isPending) return <Loading />;
  if (api.isError) {
    const problem = asProblem(api.error);
    const back = (
      <Anchor component={Link} to={paths.apis()}>
        All APIs
      </Anchor>
    );
    return (
      <ProblemNotice
        problem={problem}
        action={back}
        {...(!problem.isNotFound && { onRetry: () => api.refetch() })}
      />
    );
  }
  const link = (page: ApiPage, label: string) => (
    <NavLink key={page} to={paths.api(id, page)} end>
      {label}
    </NavLink>
  );
  const groups = [
    {
      title: "Design",
      links: [
        link("overview", "Overview"),
        ...(create ? [link("basics", "Basics")] : []),
        ...(create || publish
          ? [
              link("endpoints", "Endpoints"),
              link("headers", "Headers and topics"),
              link("topics", "Topics"),
              link("security", "Security"),
              link("protocol", "Protocol"),
            ]
          : []),
      ],
    },
    {
      title: "Access",
      links: [...(create || publish ? [link("plans", "Plans")] : []), link("subscriptions", "Subscriptions")],
    },
    {
      title: "Run",
      links: [
        link("alerts", "Alerts"),
        link("deployments", "Deployments"),
        link("lifecycle", "Lifecycle"),
        ...(create ? [link("new-version", "New version"), link("delete", "Delete")] : []),
      ],
    },
  ];
  return (
    <>
      <PageHead
        crumbs={[
          <Anchor key="apis" component={Link} to={paths.apis()} inherit>
            APIs
          </Anchor>,
          <code key="context">{api.data.context}</code>,
        ]}
        title={api.data.name}
        version={api.data.version}
        badge={
          <>
            <StateBadge state={api.data.state} />
            {api.data.demo && <DemoBadge />}
          </>
        }
      />
      <SideLayout label={`Pages of ${api.data.name}`} groups={groups}>
        <Stack>
          <DiffersBanner api={api.data} />
          <Outlet context={api.data} />
        </Stack>
      </SideLayout>
    </>
  );
}
