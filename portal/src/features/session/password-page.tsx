// Choosing one's own password: of one's own accord, or because the present one is for one time.
import { Button } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { fieldErrors } from "../../api/problem";
import { useChoosePassword, useSession } from "../../api/session";
import { safeReturn } from "../../lib/paths";
import { newPasswordProblem, PasswordField, repeatedProblem } from "../../ui/new-password";
import { Notice } from "../../ui/notice";
import { Card, FormWidth, Measure, PageHead, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { GoOn } from "./go-on";

export function Component() {
  const session = useSession();
  const [search] = useSearchParams();
  const [chosen, setChosen] = useState(false);
  // Who had to choose was on the way to somewhere else.
  const [goesOn, setGoesOn] = useState(false);
  const forced = session.data?.user.must_change_password ?? false;
  if (goesOn) return <GoOn to={safeReturn(search.get("to"))} />;
  return (
    <Measure>
      <title>Password · Tidegate</title>
      <PageHead title="Password" crumbs={["Account"]} />
      <Stack>
        {forced && (
          <Notice tone="warn" title="Choose a password of your own">
            <p>
              The one you signed in with is for one time. Nothing else is allowed until you have chosen
              another.
            </p>
          </Notice>
        )}
        {chosen && (
          <Notice tone="good" title="Your password is changed" live>
            <p>Your other portal sessions have ended.</p>
          </Notice>
        )}
        <Card title="Choose another password">
          <FormWidth>
            <ChooseForm
              onChosen={() => {
                setChosen(true);
                setGoesOn(forced);
              }}
            />
          </FormWidth>
        </Card>
      </Stack>
    </Measure>
  );
}

function ChooseForm({ onChosen }: { onChosen: () => void }) {
  const choose = useChoosePassword();
  const form = useForm({
    initialValues: { current: "", next: "", again: "" },
    validate: {
      current: (text) => (text === "" ? "Enter your present password." : null),
      next: newPasswordProblem,
      again: (text, values) => repeatedProblem(text, values.next),
    },
  });
  const submit = form.onSubmit(({ current, next }) =>
    choose.mutate(
      { current_password: current, new_password: next },
      {
        onSuccess: () => {
          form.reset();
          onChosen();
        },
        onError: (problem) =>
          form.setErrors(
            fieldErrors(problem, { "/current_password": "current", "/new_password": "next" }).fields,
          ),
      },
    ),
  );
  const field = (name: "current" | "next" | "again", label: string, autoComplete: string) => (
    <PasswordField
      label={label}
      autoComplete={autoComplete}
      value={form.values[name]}
      onChange={(text) => form.setFieldValue(name, text)}
      error={form.errors[name]}
    />
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {choose.error && <ProblemNotice problem={choose.error} />}
        {field("current", "Present password", "current-password")}
        {field("next", "New password", "new-password")}
        {field("again", "New password, again", "new-password")}
        <div>
          <Button type="submit" loading={choose.isPending}>
            Change password
          </Button>
        </div>
      </Stack>
    </form>
  );
}
