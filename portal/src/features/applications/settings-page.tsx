// Name, description and limit of an application, and its end.
import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";
import {
  applicationQuery,
  applicationTrafficQuery,
  useDeleteApplication,
  useUpdateApplication,
} from "../../api/applications";
import { fieldErrors } from "../../api/problem";
import { policiesQuery } from "../../api/settings";
import { closesSessions, planLimit, within } from "../../lib/format";
import { paths } from "../../lib/paths";
import { checkApplicationName } from "../../lib/rules";
import { Confirm } from "../../ui/confirm";
import { Notice } from "../../ui/notice";
import { Card, FormWidth, Stack } from "../../ui/page";
import { ProblemNotice, StaleNotice } from "../../ui/states";
import { useApplication } from "./application-frame";

const FIELDS = { "/name": "name", "/description": "description", "/policy": "policy" };
type Values = { name: string; description: string; policy: string };
const LABELS: Record<keyof Values, string> = {
  name: "Name",
  description: "Description",
  policy: "Limit over all its subscriptions",
};

export function Component() {
  const application = useApplication();
  return (
    <>
      <title>{`Settings · ${application.name}`}</title>
      <EditCard />
      <DeleteCard />
    </>
  );
}

function EditCard() {
  const application = useApplication();
  const queries = useQueryClient();
  const policies = useQuery(policiesQuery);
  const update = useUpdateApplication(application.id);
  const [etag, setEtag] = useState(application.etag);
  const [theirs, setTheirs] = useState<(Values & { etag: string }) | null>(null);
  const pick = ({ name, description, policy }: Values): Values => ({ name, description, policy });
  const form = useForm({ initialValues: pick(application), validate: { name: checkApplicationName } });
  const read = () => queries.fetchQuery({ ...applicationQuery(application.id), staleTime: 0 });
  const save = (values: Values, tag: string) =>
    update.mutate(
      { etag: tag, ...values },
      {
        onSuccess: async () => {
          setTheirs(null);
          form.resetDirty(values);
          setEtag((await read()).etag);
        },
        onError: async (problem) => {
          if (problem.isStale) setTheirs(await read());
          else form.setErrors(fieldErrors(problem, FIELDS).fields);
        },
      },
    );
  return (
    <Card title="Settings">
      <FormWidth>
        <form onSubmit={form.onSubmit((values) => save(values, etag))} noValidate>
          <Stack>
            {theirs && (
              <StaleNotice
                rows={(Object.keys(LABELS) as (keyof Values)[])
                  .filter((field) => theirs[field] !== form.values[field])
                  .map((field) => ({
                    field: LABELS[field],
                    mine: form.values[field],
                    theirs: theirs[field],
                  }))}
                busy={update.isPending}
                onKeepMine={() => save(form.values, theirs.etag)}
                onTakeTheirs={() => {
                  form.setValues(pick(theirs));
                  setEtag(theirs.etag);
                  setTheirs(null);
                  update.reset();
                }}
              />
            )}
            {update.error && !update.error.isStale && <ProblemNotice problem={update.error} />}
            <TextInput label={LABELS.name} {...form.getInputProps("name")} />
            <Textarea label={LABELS.description} rows={3} {...form.getInputProps("description")} />
            <NativeSelect
              label={LABELS.policy}
              data={(policies.data ?? []).map((policy) => ({
                value: policy.name,
                label: `${policy.display_name}: ${within(planLimit(policy))}`,
              }))}
              {...form.getInputProps("policy")}
            />
            <div>
              <Button type="submit" loading={update.isPending} disabled={!form.isDirty()}>
                Save
              </Button>
            </div>
            {update.isSuccess && !form.isDirty() && <Notice tone="good" title="Saved" live />}
          </Stack>
        </form>
      </FormWidth>
    </Card>
  );
}

function DeleteCard() {
  const application = useApplication();
  const remove = useDeleteApplication(application.id);
  const traffic = useQuery(applicationTrafficQuery(application.id));
  const navigate = useNavigate();
  const [asked, setAsked] = useState(false);
  return (
    <Card title="Delete">
      <Stack>
        <p>Its keys and subscriptions go with it. This cannot be taken back.</p>
        <div>
          <Button color="red" onClick={() => setAsked(true)}>
            Delete {application.name}
          </Button>
        </div>
      </Stack>
      <Confirm
        opened={asked}
        title={`Delete ${application.name}?`}
        action="Delete application"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(false)}
        onConfirm={() => remove.mutate(undefined, { onSuccess: () => navigate(paths.applications()) })}
      >
        <p>{closesSessions(traffic.data?.sessions_open ?? 0)} Its keys and subscriptions go with it.</p>
        {remove.error && <ProblemNotice problem={remove.error} />}
      </Confirm>
    </Card>
  );
}
