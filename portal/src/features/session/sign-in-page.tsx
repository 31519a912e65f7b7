// Signing in, and back to where one was going.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Navigate, useSearchParams } from "react-router";
import { useSession } from "../../api/session";
import { settingsQuery } from "../../api/settings";
import { isAuthorization, paths, safeReturn } from "../../lib/paths";
import { Card, Dim, Stack } from "../../ui/page";
import { Loading } from "../../ui/states";
import styles from "./session.module.css";
import { SignInForm } from "./sign-in-form";

/** Back to the page of the authorization server, which is none of the portal's. */
function Leave({ to }: { to: string }) {
  useEffect(() => window.location.replace(to), [to]);
  return <Loading label="Going back to the application" />;
}

export function Component() {
  const [search] = useSearchParams();
  const to = safeReturn(search.get("to"));
  const session = useSession();
  const settings = useQuery(settingsQuery);
  if (session.isPending) return <Loading label="Reading your session" />;
  // Also where a successful try ends: the session is known from then on.
  if (session.data) {
    if (session.data.user.must_change_password) return <Navigate to={paths.password()} replace />;
    return isAuthorization(to) ? <Leave to={to} /> : <Navigate to={to} replace />;
  }
  return (
    <div className={styles.narrow}>
      <title>Sign in · Tidegate</title>
      <Card>
        <Stack>
          <h1>Sign in</h1>
          <SignInForm onSignedIn={() => {}} />
          {settings.data?.demo && (
            <Dim>
              Demo users: <code>admin</code>, <code>creator</code>, <code>publisher</code>,{" "}
              <code>developer</code>. Their passwords are in <code>first-start.json</code> in the data folder.
            </Dim>
          )}
        </Stack>
      </Card>
    </div>
  );
}
