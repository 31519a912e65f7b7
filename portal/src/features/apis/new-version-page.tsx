// A new version: a copy of the design under another version, in state Created.
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "react-router";
import { useCreateVersion } from "../../api/apis";
import { fieldErrors } from "../../api/problem";
import { settingsQuery } from "../../api/settings";
import { paths } from "../../lib/paths";
import { checkVersion, connectAddress } from "../../lib/rules";
import { Card, Dim, FormWidth, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";

export function Component() {
  const api = useApi();
  const settings = useQuery(settingsQuery);
  const create = useCreateVersion(api.id);
  const navigate = useNavigate();
  const form = useForm({
    initialValues: { version: "", default: false },
    validate: {
      version: (text) => checkVersion(text) ?? (text === api.version ? "This version exists already." : null),
    },
  });
  const submit = form.onSubmit((values) =>
    create.mutate(values, {
      onSuccess: (made) => navigate(paths.api(made.id)),
      onError: (problem) => form.setErrors(fieldErrors(problem, { "/version": "version" }).fields),
    }),
  );
  return (
    <>
      <title>{`New version · ${api.name}`}</title>
      <Card title="New version">
        <FormWidth>
          <form onSubmit={submit} noValidate>
            <Stack>
              <p>
                It starts as a copy of the working copy of {api.name} {api.version}, in state Created, without
                subscriptions.
              </p>
              {create.error && <ProblemNotice problem={create.error} />}
              <TextInput label="Version" placeholder="2.0" withAsterisk {...form.getInputProps("version")} />
              <Checkbox
                label="Make it the default version"
                description="When it goes live it also answers at the context without a version. Until then the present default version does."
                {...form.getInputProps("default", { type: "checkbox" })}
              />
              <p aria-live="polite">
                <Dim>Clients will connect to</Dim>{" "}
                <code>{connectAddress(settings.data?.ws_url ?? "", api.context, form.values.version)}</code>
              </p>
              <div>
                <Button type="submit" loading={create.isPending}>
                  Create version
                </Button>
              </div>
            </Stack>
          </form>
        </FormWidth>
      </Card>
    </>
  );
}
