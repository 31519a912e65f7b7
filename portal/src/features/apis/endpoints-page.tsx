// Endpoints: a row per environment with its address, a test, and the cogwheel for its timeouts.
import { ActionIcon, Button } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import { settingsQuery } from "../../api/settings";
import type { Api, EndpointBounds, Environment, UpdateApi } from "../../api/types";
import { title } from "../../lib/format";
import { checkEndpointUrl } from "../../lib/rules";
import { Notice } from "../../ui/notice";
import { Card, Dim, Row, Stack } from "../../ui/page";
import { Loading, ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";
import { EndpointField } from "./endpoint-field";
import { TimeoutsDrawer } from "./timeouts-drawer";
import { type DesignForm, useDesign } from "./use-design";

const ENVIRONMENTS: Environment[] = ["production", "sandbox"];
const SERVES: Record<Environment, string> = {
  production: "Sessions with a production key reach it.",
  sandbox: "Sessions with a sandbox key reach it.",
};

export interface EndpointRow {
  url: string;
  connect_timeout_ms: number | string;
  handshake_timeout_ms: number | string;
  idle_timeout_ms: number | string;
}
type Rows = Record<Environment, EndpointRow>;

function rowsOf(api: Api, bounds: EndpointBounds): Rows {
  const row = (environment: Environment): EndpointRow => {
    const endpoint = api.endpoints[environment];
    return {
      url: endpoint?.url ?? "",
      connect_timeout_ms: endpoint?.connect_timeout_ms ?? bounds.connect_timeout_ms.default,
      handshake_timeout_ms: endpoint?.handshake_timeout_ms ?? bounds.handshake_timeout_ms.default,
      idle_timeout_ms: endpoint?.idle_timeout_ms ?? bounds.idle_timeout_ms.default,
    };
  };
  return { production: row("production"), sandbox: row("sandbox") };
}

/** The endpoints with what the rows say; what they do not show stays as it was read. */
function sent(rows: Rows, base: Api): UpdateApi["endpoints"] {
  const endpoints: UpdateApi["endpoints"] = {};
  for (const environment of ENVIRONMENTS) {
    const row = rows[environment];
    if (row.url === "") continue;
    endpoints[environment] = {
      ...base.endpoints[environment],
      url: row.url,
      connect_timeout_ms: Number(row.connect_timeout_ms),
      handshake_timeout_ms: Number(row.handshake_timeout_ms),
      idle_timeout_ms: Number(row.idle_timeout_ms),
    };
  }
  return endpoints;
}

export function Component() {
  const api = useApi();
  const settings = useQuery(settingsQuery);
  if (!settings.data) return <Loading />;
  return (
    <>
      <title>{`Endpoints · ${api.name}`}</title>
      <EndpointsForm api={api} bounds={settings.data.endpoint_bounds} echo={settings.data.echo_url ?? null} />
    </>
  );
}

function problemFields(environment: Environment) {
  const at = `/endpoints/${environment}`;
  return {
    [`${at}`]: `${environment}.url`,
    [`${at}/url`]: `${environment}.url`,
    [`${at}/connect_timeout_ms`]: `${environment}.connect_timeout_ms`,
    [`${at}/handshake_timeout_ms`]: `${environment}.handshake_timeout_ms`,
    [`${at}/idle_timeout_ms`]: `${environment}.idle_timeout_ms`,
  };
}

function EndpointsForm({ api, bounds, echo }: { api: Api; bounds: EndpointBounds; echo: string | null }) {
  const may = useCan("api_create");
  const [drawer, setDrawer] = useState<Environment | null>(null);
  const form = useForm<Rows>({
    initialValues: rowsOf(api, bounds),
    validate: {
      production: { url: (text) => (text === "" ? null : checkEndpointUrl(text)) },
      sandbox: { url: (text) => (text === "" ? null : checkEndpointUrl(text)) },
    },
  });
  const design: DesignForm = useDesign(api, (theirs) => form.setValues(rowsOf(theirs, bounds)));
  const submit = form.onSubmit((rows) =>
    design.save(
      { endpoints: sent(rows, design.base) },
      {
        onSaved: () => form.resetDirty(rows),
        onProblem: (problem) =>
          form.setErrors(
            fieldErrors(problem, { ...problemFields("production"), ...problemFields("sandbox") }).fields,
          ),
      },
    ),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {design.stale}
        {design.problem && <ProblemNotice problem={design.problem} />}
        {ENVIRONMENTS.map((environment) => (
          <Card key={environment} title={title(environment)} aside={<Dim>{SERVES[environment]}</Dim>}>
            <EndpointField
              label={`${title(environment)} endpoint`}
              path={`${environment}.url`}
              value={form.values[environment].url}
              onChange={(url) => form.setFieldValue(`${environment}.url`, url)}
              onBlur={() => form.validateField(`${environment}.url`)}
              error={form.errors[`${environment}.url`]}
              echo={environment === "production" || form.values.production.url !== "" ? echo : null}
              apiId={api.id}
              readOnly={!may}
              timeouts={{
                connect_timeout_ms: Number(form.values[environment].connect_timeout_ms),
                handshake_timeout_ms: Number(form.values[environment].handshake_timeout_ms),
              }}
              aside={
                <ActionIcon
                  variant="default"
                  size="lg"
                  aria-label={`Timeouts of the ${environment} endpoint`}
                  onClick={() => setDrawer(environment)}
                >
                  <span aria-hidden="true">⚙</span>
                </ActionIcon>
              }
            />
          </Card>
        ))}
        {may && (
          <Row>
            <Button type="submit" loading={design.busy} disabled={!form.isDirty()}>
              Save
            </Button>
            {form.isDirty() && (
              <Dim>Not saved yet. Saving changes the working copy; Deploy makes it live.</Dim>
            )}
          </Row>
        )}
        {design.saved && !form.isDirty() && <Notice tone="good" title="Saved to the working copy" live />}
      </Stack>
      {drawer && (
        <TimeoutsDrawer
          environment={drawer}
          bounds={bounds}
          row={form.values[drawer]}
          errors={form.errors}
          readOnly={!may}
          onChange={(leaf, value) => form.setFieldValue(`${drawer}.${leaf}`, value)}
          onClose={() => setDrawer(null)}
        />
      )}
    </form>
  );
}
