// Signing in, and back to where one was going.
import { Anchor, Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useSearchParams } from "react-router";
import { useSession } from "../../api/session";
import { settingsQuery } from "../../api/settings";
import { signInChoicesQuery } from "../../api/sign-in-providers";
import { signUpQuery } from "../../api/sign-up";
import { paths, safeReturn } from "../../lib/paths";
import { Card, Dim, Stack } from "../../ui/page";
import { Loading } from "../../ui/states";
import { GoOn } from "./go-on";
import styles from "./session.module.css";
import { SignInForm } from "./sign-in-form";

export function Component() {
  const [search] = useSearchParams();
  const to = safeReturn(search.get("to"));
  const session = useSession();
  const settings = useQuery(settingsQuery);
  const signUp = useQuery(signUpQuery);
  const choices = useQuery(signInChoicesQuery);
  if (session.isPending) return <Loading label="Reading your session" />;
  // Also where a successful try ends: the session is known from then on.
  if (session.data) {
    if (session.data.user.must_change_password) {
      return <Navigate to={paths.password(to)} replace />;
    }
    return <GoOn to={to} />;
  }
  return (
    <div className={styles.narrow}>
      <title>Sign in · Tidegate</title>
      <Card>
        <Stack>
          <h1>Sign in</h1>
          <SignInForm onSignedIn={() => {}} />
          {choices.data?.map(({ id, name }) => (
            <Button key={id} component="a" href={paths.signInWith(id, to)} variant="default" fullWidth>
              Sign in with {name}
            </Button>
          ))}
          {signUp.data?.open && (
            <p>
              No account yet?{" "}
              <Anchor component={Link} to={paths.signUp()} inherit>
                Sign up
              </Anchor>
            </p>
          )}
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
