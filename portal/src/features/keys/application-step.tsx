// Step 1: which application connects. One that exists, or a new one with a name.
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { useCreateApplication } from "../../api/applications";
import { fieldErrors } from "../../api/problem";
import type { Application } from "../../api/types";
import { checkApplicationName } from "../../lib/rules";
import { Dim, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { Step } from "./step";

/** A name that nobody's own application has yet. */
function freshName(taken: string[]): string {
  let name = "My application";
  for (let number = 2; taken.includes(name); number += 1) name = `My application ${number}`;
  return name;
}

export function ApplicationStep(props: {
  /** The person's own. */
  applications: Application[];
  chosen: Application | null;
  onChoose: (id: string) => void;
}) {
  const { applications, chosen } = props;
  const [adding, setAdding] = useState(applications.length === 0);
  const [picked, setPicked] = useState(applications[0]?.id ?? "");
  const create = useCreateApplication();
  const form = useForm({
    initialValues: { name: freshName(applications.map((application) => application.name)) },
    validate: { name: checkApplicationName },
  });
  const submit = form.onSubmit(({ name }) =>
    create.mutate(
      { name },
      {
        onSuccess: (made) => {
          setAdding(false);
          setPicked(made.id);
          props.onChoose(made.id);
        },
        onError: (problem) => form.setErrors(fieldErrors(problem, { "/name": "name" }).fields),
      },
    ),
  );
  return (
    <Step number={1} title="Application" state={chosen ? "done" : "open"}>
      {chosen ? (
        <Row>
          <strong>{chosen.name}</strong>
          {!applications.includes(chosen) && <Dim>of {chosen.owner}</Dim>}
          <Button variant="subtle" size="compact-sm" onClick={() => props.onChoose("")}>
            Choose another
          </Button>
        </Row>
      ) : adding || applications.length === 0 ? (
        <form onSubmit={submit} noValidate>
          <Stack>
            <p>An application is your program that connects. It holds keys and subscriptions.</p>
            {create.error && <ProblemNotice problem={create.error} />}
            <TextInput label="Name of the application" {...form.getInputProps("name")} />
            <Row>
              <Button type="submit" loading={create.isPending}>
                Create application
              </Button>
              {applications.length > 0 && (
                <Button variant="subtle" onClick={() => setAdding(false)}>
                  Use one that exists
                </Button>
              )}
            </Row>
          </Stack>
        </form>
      ) : (
        <Stack>
          <NativeSelect
            label="Your application"
            value={picked}
            onChange={(event) => setPicked(event.currentTarget.value)}
            data={applications.map((application) => ({ value: application.id, label: application.name }))}
          />
          <Row>
            <Button onClick={() => props.onChoose(picked)}>Use this application</Button>
            <Button variant="subtle" onClick={() => setAdding(true)}>
              New application
            </Button>
          </Row>
        </Stack>
      )}
    </Step>
  );
}
