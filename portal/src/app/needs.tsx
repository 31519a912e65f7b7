// The gate before a page: who is not signed in goes to sign in and comes back; who may not is told who can grant it.
import { Anchor } from "@mantine/core";
import { Link, Navigate, Outlet, useLocation, useOutletContext } from "react-router";
import { asProblem } from "../api/problem";
import { useSession } from "../api/session";
import type { Permission } from "../api/types";
import { paths } from "../lib/paths";
import { Notice } from "../ui/notice";
import { PageHead } from "../ui/page";
import { Loading, ProblemNotice } from "../ui/states";

const ROLES: Record<Permission, string> = {
  api_view: "creator, publisher, observer or admin",
  api_create: "creator or admin",
  api_publish: "publisher or admin",
  app_manage: "subscriber or admin",
  administer: "admin",
};

export function Needs(props: { permission?: Permission; signedInOnly?: boolean }) {
  const session = useSession();
  const at = useLocation();
  // A gate inside a frame hands on what the frame gives its pages.
  const context = useOutletContext();
  if (session.isPending) return <Loading label="Reading your session" />;
  if (session.isError) {
    return <ProblemNotice problem={asProblem(session.error)} onRetry={() => session.refetch()} />;
  }
  if (!session.data) return <Navigate to={paths.signIn(at.pathname + at.search)} replace />;
  // A password for one time opens the page where another is chosen, and no other.
  if (session.data.user.must_change_password && at.pathname !== paths.password()) {
    return <Navigate to={paths.password(at.pathname + at.search)} replace />;
  }
  const needed = props.permission;
  if (needed && !session.data.permissions.some((held) => held === needed)) {
    return <Forbidden permission={needed} username={session.data.user.username} />;
  }
  return <Outlet context={context} />;
}

function Forbidden({ permission, username }: { permission: Permission; username: string }) {
  return (
    <>
      <title>Not allowed · Tidegate</title>
      <PageHead title="Your roles do not open this page" />
      <Notice tone="warn" title={`It needs the role ${ROLES[permission]}.`}>
        <p>
          You are signed in as <strong>{username}</strong>. An administrator can grant you the role.{" "}
          <Anchor component={Link} to={paths.door()} inherit>
            Go to the doors you may enter
          </Anchor>
          .
        </p>
      </Notice>
    </>
  );
}
