// Basics: what the catalogue says of the API, and whether this version answers without its version.
import { Button, Switch, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import { checkDescription } from "../../lib/rules";
import { Notice } from "../../ui/notice";
import { Card, Facts, FormWidth, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";
import { useDesign } from "./use-design";

const FIELDS = { "/description": "description", "/is_default_version": "is_default_version" };

export function Component() {
  const api = useApi();
  const form = useForm({
    initialValues: { description: api.description, is_default_version: api.is_default_version },
    validate: { description: checkDescription },
  });
  const design = useDesign(api, (theirs) =>
    form.setValues({ description: theirs.description, is_default_version: theirs.is_default_version }),
  );
  const may = useCan("api_create");
  const submit = form.onSubmit((values) =>
    design.save(values, {
      onSaved: () => form.resetDirty(values),
      onProblem: (problem) => form.setErrors(fieldErrors(problem, FIELDS).fields),
    }),
  );
  return (
    <>
      <title>{`Basics · ${api.name}`}</title>
      <Card title="Basics">
        <FormWidth>
          <form onSubmit={submit}>
            <Stack>
              {design.stale}
              {design.problem && <ProblemNotice problem={design.problem} />}
              <Facts
                of={[
                  ["Name", api.name],
                  ["Context", <code key="c">{api.context}</code>],
                  ["Version", api.version],
                ]}
              />
              <Textarea
                label="Description"
                description="What the API does, for the people who look through the catalogue."
                autosize={false}
                rows={5}
                readOnly={!may}
                {...form.getInputProps("description")}
              />
              <Switch
                label="Default version"
                description="It then also answers at the context without a version. The version that does so now goes on until this one is live."
                disabled={!may}
                {...form.getInputProps("is_default_version", { type: "checkbox" })}
              />
              {may && (
                <div>
                  <Button type="submit" loading={design.busy} disabled={!form.isDirty()}>
                    Save
                  </Button>
                </div>
              )}
              {design.saved && !form.isDirty() && <Notice tone="good" title="Saved" live />}
            </Stack>
          </form>
        </FormWidth>
      </Card>
    </>
  );
}
