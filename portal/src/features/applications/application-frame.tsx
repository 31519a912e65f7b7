// The frame of one application: its head and the left list of its pages.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, NavLink, Outlet, useOutletContext, useParams } from "react-router";
import { applicationQuery } from "../../api/applications";
import { asProblem } from "../../api/problem";
import type { Application } from "../../api/types";
import { type ApplicationPage, paths } from "../../lib/paths";
import { DemoBadge } from "../../ui/notice";
import { PageHead, SideLayout, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";

type Tagged = Application & { etag: string };

/** The application of the pages inside the frame, with the entity tag it was read under. */
export const useApplication = () => useOutletContext<Tagged>();

export function Component() {
  const { id = "" } = useParams();
  const application = useQuery(applicationQuery(id));
  if (application.isPending) return <Loading />;
  const back = (
    <Anchor key="all" component={Link} to={paths.applications()} inherit>
      Applications
    </Anchor>
  );
  if (application.isError) {
    const problem = asProblem(application.error);
    return (
      <ProblemNotice
        problem={problem}
        action={back}
        {...(!problem.isNotFound && { onRetry: () => application.refetch() })}
      />
    );
  }
  const link = (page: ApplicationPage, label: string) => (
    <NavLink key={page} to={paths.application(id, page)} end>
      {label}
    </NavLink>
  );
  return (
    <>
      <PageHead
        crumbs={[back]}
        title={application.data.name}
        badge={application.data.demo && <DemoBadge />}
      />
      <SideLayout
        label={`Pages of ${application.data.name}`}
        groups={[
          {
            title: "Application",
            links: [
              link("overview", "Overview"),
              link("keys", "Keys"),
              link("api-keys", "API keys"),
              link("certificates", "Certificates"),
              link("subscriptions", "Subscriptions"),
              link("alerts", "Alerts"),
              link("settings", "Settings"),
            ],
          },
        ]}
      >
        <Stack>
          <Outlet context={application.data} />
        </Stack>
      </SideLayout>
    </>
  );
}
