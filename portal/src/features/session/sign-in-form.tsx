// User name and password. A wrong password is told beside its field, a throttled try with the time to wait.
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useSignIn } from "../../api/session";
import type { Session } from "../../api/types";
import { Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";

export function SignInForm(props: { username?: string; onSignedIn: (session: Session) => void }) {
  const signIn = useSignIn();
  const form = useForm({
    initialValues: { username: props.username ?? "", password: "" },
    validate: {
      username: (text) => (text === "" ? "Enter your user name." : null),
      password: (text) => (text === "" ? "Enter your password." : null),
    },
  });
  const submit = form.onSubmit((values) =>
    signIn.mutate(values, {
      onSuccess: props.onSignedIn,
      onError: (problem) => {
        if (problem.isUnauthenticated) form.setFieldError("password", problem.detail || problem.title);
        form.getInputNode("password")?.focus();
      },
    }),
  );
  const problem = signIn.error?.isUnauthenticated ? null : signIn.error;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {problem && <ProblemNotice problem={problem} />}
        <TextInput
          label="User name"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus={!props.username}
          {...(props.username && { readOnly: true })}
          {...form.getInputProps("username")}
        />
        <PasswordInput
          label="Password"
          autoComplete="current-password"
          autoFocus={Boolean(props.username)}
          data-autofocus={props.username ? true : undefined}
          visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          {...form.getInputProps("password")}
          aria-invalid={form.errors.password !== undefined}
        />
        <Button type="submit" loading={signIn.isPending}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}
