// Create a WebSocket API: one page, no steps. What is missing for CREATE & PUBLISH stands beside the button.
import { Anchor, Button, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { useCreateApi } from "../../api/apis";
import { fieldErrors, type Problem } from "../../api/problem";
import { useCan } from "../../api/session";
import { plansQuery, settingsQuery } from "../../api/settings";
import { paths } from "../../lib/paths";
import {
  checkContext,
  checkEndpointUrl,
  checkName,
  checkVersion,
  connectAddress,
  normalContext,
  suggestContext,
} from "../../lib/rules";
import { Card, Dim, FormWidth, PageHead, Row, Stack } from "../../ui/page";
import { PlanChoice } from "../../ui/plans";
import { Loading, ProblemNotice } from "../../ui/states";
import styles from "../../ui/ui.module.css";
import { EndpointField } from "./endpoint-field";

const FIELDS = {
  "/name": "name",
  "/context": "context",
  "/version": "version",
  "/endpoints": "endpoint",
  "/plans": "plans",
};

type Values = { name: string; context: string; version: string; endpoint: string; plans: string[] };

/** What stands between these values and an API that can be published. */
function missingToPublish(values: Values): string[] {
  const needs = (what: string, text: string, check: (text: string) => string | null) => {
    if (check(text) === null) return [];
    return [text === "" ? `${what === "endpoint" ? "an" : "a"} ${what}` : `a valid ${what}`];
  };
  return [
    ...needs("name", values.name, checkName),
    ...needs("context", values.context, checkContext),
    ...needs("version", values.version, checkVersion),
    ...needs("endpoint", values.endpoint, checkEndpointUrl),
    ...(values.plans.length === 0 ? ["at least one business plan"] : []),
  ];
}

const listed = new Intl.ListFormat("en", { type: "conjunction" });

export function Component() {
  const settings = useQuery(settingsQuery);
  const plans = useQuery(plansQuery);
  const publisher = useCan("api_publish");
  const create = useCreateApi();
  const navigate = useNavigate();
  const [touched, setTouched] = useState(false);
  const [rest, setRest] = useState<string[]>([]);
  const [pressed, setPressed] = useState<"create" | "publish">("create");
  const form = useForm({
    initialValues: { name: "", context: "", version: "1.0", endpoint: "", plans: [] } as Values,
    validateInputOnBlur: true,
    validate: {
      name: checkName,
      context: checkContext,
      version: checkVersion,
      endpoint: (text) => (text === "" ? null : checkEndpointUrl(text)),
    },
  });
  const { values } = form;
  const missing = missingToPublish(values);

  const focusFirst = (errors: Record<string, unknown>) => {
    const first = Object.values(FIELDS).find((field) => errors[field]);
    if (first) form.getInputNode(first)?.focus();
  };
  const submit = (publish: boolean) => {
    setPressed(publish ? "publish" : "create");
    setRest([]);
    const checked = form.validate();
    if (checked.hasErrors) {
      focusFirst(checked.errors);
      return;
    }
    create.mutate(
      {
        name: values.name,
        context: normalContext(values.context),
        version: values.version,
        ...(values.endpoint !== "" && { endpoints: { production: { url: values.endpoint } } }),
        plans: values.plans,
        publish,
      },
      {
        onSuccess: (api) => navigate(paths.api(api.id)),
        onError: (problem: Problem) => {
          const found = fieldErrors(problem, FIELDS);
          form.setErrors(found.fields);
          setRest(found.rest);
          focusFirst(found.fields);
        },
      },
    );
  };
  if (plans.isPending || settings.isPending) return <Loading />;
  const address = connectAddress(
    settings.data?.ws_url ?? "ws://localhost:9099",
    values.context,
    values.version,
  );

  return (
    <>
      <title>New WebSocket API · Tidegate publisher</title>
      <PageHead
        title="Design a New WebSocket API"
        crumbs={[
          <Anchor key="apis" component={Link} to={paths.apis()} inherit>
            APIs
          </Anchor>,
          "New",
        ]}
      />
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit(false);
        }}
      >
        <FormWidth>
          <Card>
            <Stack>
              {create.error && <ProblemNotice problem={create.error} extra={rest} />}
              <TextInput
                label="Name"
                description="The same for all versions; it cannot be changed later."
                withAsterisk
                autoFocus
                {...form.getInputProps("name")}
                onChange={(event) => {
                  const name = event.currentTarget.value;
                  form.setFieldValue("name", name);
                  if (!touched) form.setFieldValue("context", suggestContext(name));
                }}
              />
              <TextInput
                label="Context"
                description="The path under which the gateway answers; it belongs to this name."
                withAsterisk
                {...form.getInputProps("context")}
                onChange={(event) => {
                  setTouched(event.currentTarget.value !== "");
                  form.setFieldValue("context", event.currentTarget.value);
                }}
              />
              <TextInput label="Version" withAsterisk {...form.getInputProps("version")} />
              <EndpointField
                label="Endpoint"
                path="endpoint"
                value={values.endpoint}
                onChange={(url) => form.setFieldValue("endpoint", url)}
                onBlur={() => form.validateField("endpoint")}
                error={form.errors.endpoint}
                echo={settings.data?.echo_url ?? null}
              />
              <PlanChoice
                plans={plans.data ?? []}
                value={values.plans}
                onChange={(names) => form.setFieldValue("plans", names)}
                error={form.errors.plans}
              />
              <p aria-live="polite" className={styles.told}>
                <Dim>Clients will connect to</Dim> <code>{address}</code>
              </p>
              <Row>
                <Button
                  type="submit"
                  variant={publisher ? "default" : "filled"}
                  loading={create.isPending && pressed === "create"}
                >
                  Create
                </Button>
                {publisher && (
                  <Button
                    disabled={missing.length > 0}
                    loading={create.isPending && pressed === "publish"}
                    onClick={() => submit(true)}
                    aria-describedby="publish-needs"
                  >
                    Create &amp; publish
                  </Button>
                )}
                {publisher && missing.length > 0 && (
                  <span id="publish-needs">
                    <Dim>To publish at once, enter {listed.format(missing)}.</Dim>
                  </span>
                )}
              </Row>
            </Stack>
          </Card>
        </FormWidth>
      </form>
    </>
  );
}
