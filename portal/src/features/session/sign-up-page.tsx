// Asking for an account. What is answered does not tell whether somebody has the name.
import { Anchor, Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { asProblem, fieldErrors } from "../../api/problem";
import { signUpQuery, useSignUp } from "../../api/sign-up";
import { paths } from "../../lib/paths";
import { newPasswordProblem, PasswordField, repeatedProblem } from "../../ui/new-password";
import { Notice } from "../../ui/notice";
import { Card, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import styles from "./session.module.css";

export function Component() {
  const state = useQuery(signUpQuery);
  return (
    <div className={styles.narrow}>
      <title>Sign up · Tidegate</title>
      <Card>
        <Stack>
          <h1>Sign up</h1>
          {state.isPending ? (
            <Loading lines={2} />
          ) : state.isError ? (
            <ProblemNotice problem={asProblem(state.error)} onRetry={() => state.refetch()} />
          ) : state.data.open ? (
            <SignUpForm />
          ) : (
            <p>Nobody signs up here. Ask an administrator for an account.</p>
          )}
          <Anchor component={Link} to={paths.signIn()} inherit>
            Sign in
          </Anchor>
        </Stack>
      </Card>
    </div>
  );
}

function SignUpForm() {
  const signUp = useSignUp();
  const form = useForm({
    initialValues: { username: "", next: "", again: "" },
    validate: {
      username: (text) => (text === "" ? "Choose a user name." : null),
      next: newPasswordProblem,
      again: (text, values) => repeatedProblem(text, values.next),
    },
  });
  const submit = form.onSubmit(({ username, next }) =>
    signUp.mutate(
      { username, password: next },
      {
        onError: (problem) =>
          form.setErrors(fieldErrors(problem, { "/username": "username", "/password": "next" }).fields),
      },
    ),
  );
  if (signUp.isSuccess) {
    return (
      <Notice tone="good" title="An administrator has to approve it" live>
        <p>
          Sign in to see how it stands. If {form.values.username} and your password are refused as wrong,
          somebody has the name already: sign up under another.
        </p>
      </Notice>
    );
  }
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {signUp.error && <ProblemNotice problem={signUp.error} />}
        <TextInput
          label="User name"
          description="Letters, digits and . _ - @ +"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("username")}
        />
        {(["next", "again"] as const).map((name) => (
          <PasswordField
            key={name}
            label={name === "next" ? "Password" : "Password, again"}
            autoComplete="new-password"
            value={form.values[name]}
            onChange={(text) => form.setFieldValue(name, text)}
            error={form.errors[name]}
          />
        ))}
        <Button type="submit" loading={signUp.isPending}>
          Sign up
        </Button>
      </Stack>
    </form>
  );
}
