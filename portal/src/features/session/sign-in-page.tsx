// Signing in. A wrong password is told beside the fields, a throttled try with the time to wait.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { Navigate, useNavigate, useSearchParams } from "react-router";
import { useSession, useSignIn } from "../../api/session";
import { safeReturn } from "../../lib/paths";
import { Card, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import styles from "./session.module.css";

export function Component() {
  const [search] = useSearchParams();
  const to = safeReturn(search.get("to"));
  const session = useSession();
  const signIn = useSignIn();
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { username: "", password: "" },
    validate: {
      username: (text) => (text === "" ? "Enter your user name." : null),
      password: (text) => (text === "" ? "Enter your password." : null),
    },
  });
  if (session.isPending) return <Loading label="Reading your session" />;
  if (session.data && !signIn.isPending) return <Navigate to={to} replace />;
  const submit = form.onSubmit((values) =>
    signIn.mutate(values, {
      onSuccess: () => navigate(to, { replace: true }),
      onError: () => form.getInputNode("password")?.focus(),
    }),
  );
  const problem = signIn.error;
  return (
    <div className={styles.narrow}>
      <title>Sign in · Tidegate</title>
      <Card>
        <form onSubmit={submit} noValidate>
          <Stack>
            <h1>Sign in</h1>
            {problem && <ProblemNotice problem={problem} />}
            <TextInput
              label="User name"
              autoComplete="username"
              autoFocus
              {...form.getInputProps("username")}
            />
            <PasswordInput
              label="Password"
              autoComplete="current-password"
              visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
              {...form.getInputProps("password")}
              error={form.errors.password ?? (problem?.isUnauthenticated ? problem.detail : null)}
            />
            <Button type="submit" loading={signIn.isPending}>
              Sign in
            </Button>
          </Stack>
        </form>
      </Card>
    </div>
  );
}
