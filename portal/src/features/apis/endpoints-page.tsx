// Endpoints: a row per environment with its address, a test, how many addresses there are, and the cogwheel.
import { ActionIcon } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api, EndpointBounds, Environment, UpdateApi } from "../../api/types";
import { title } from "../../lib/format";
import { Card, Dim, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import styles from "../../ui/ui.module.css";
import { useApi } from "./api-frame";
import { type EndpointChange, EndpointDrawer } from "./endpoint-drawer";
import { EndpointField } from "./endpoint-field";
import { EndpointHealth } from "./endpoint-health";
import { type EndpointRow, endpointOf, problemFields, rowErrors, rowOf } from "./endpoint-row";
import { saysAddresses } from "./endpoint-summary";
import { SaveRow } from "./save-row";
import { withoutSecrets } from "./secret-row";
import { type DesignForm, useDesign } from "./use-design";
import { WithSettings } from "./with-settings";

const ENVIRONMENTS: Environment[] = ["production", "sandbox"];
const SERVES: Record<Environment, string> = {
  production: "Sessions with a production key reach it.",
  sandbox: "Sessions with a sandbox key reach it.",
};

type Rows = Record<Environment, EndpointRow>;

const rowsOf = (api: Api, bounds: EndpointBounds): Rows => ({
  production: rowOf(api.endpoints.production, bounds),
  sandbox: rowOf(api.endpoints.sandbox, bounds),
});

function sent(rows: Rows, base: Api): UpdateApi["endpoints"] {
  const endpoints: UpdateApi["endpoints"] = {};
  for (const environment of ENVIRONMENTS) {
    const row = rows[environment];
    if (row.url !== "") endpoints[environment] = endpointOf(row, base.endpoints[environment]);
  }
  return endpoints;
}

export function Component() {
  const api = useApi();
  return (
    <WithSettings>
      {(settings) => (
        <>
          <title>{`Endpoints · ${api.name}`}</title>
          <EndpointsForm api={api} bounds={settings.endpoint_bounds} echo={settings.echo_url ?? null} />
        </>
      )}
    </WithSettings>
  );
}

function EndpointsForm({ api, bounds, echo }: { api: Api; bounds: EndpointBounds; echo: string | null }) {
  const may = useCan("api_create");
  const [drawer, setDrawer] = useState<Environment | null>(null);
  const form = useForm<Rows>({
    initialValues: rowsOf(api, bounds),
    validate: (rows) => ({
      ...rowErrors("production", rows.production, bounds),
      ...rowErrors("sandbox", rows.sandbox, bounds),
    }),
  });
  const design: DesignForm = useDesign(api, (theirs) => form.setValues(rowsOf(theirs, bounds)));
  /** What is wrong in a drawer would not be seen while it is closed. */
  const reveal = (errors: Record<string, unknown>) => {
    const inside = (environment: Environment) =>
      Object.keys(errors).some((at) => at.startsWith(`${environment}.`) && at !== `${environment}.url`);
    setDrawer(ENVIRONMENTS.find(inside) ?? null);
  };
  /** What was saved is the page's, but for the secrets: nobody sees them again. */
  const forget = (rows: Rows) => {
    const now = form.getValues();
    for (const environment of ENVIRONMENTS) {
      const [sent, typed] = [rows[environment], now[environment]];
      if (typed.credential.secret === sent.credential.secret) {
        form.setFieldValue(`${environment}.credential.secret`, "");
      }
      if (typed.tls.client_key === sent.tls.client_key)
        form.setFieldValue(`${environment}.tls.client_key`, "");
    }
    form.resetDirty({ production: withoutSecrets(rows.production), sandbox: withoutSecrets(rows.sandbox) });
  };
  const submit = form.onSubmit(
    (rows) =>
      design.save(
        { endpoints: sent(rows, design.base) },
        {
          onSaved: () => forget(rows),
          onProblem: (problem) => {
            const names = { ...problemFields("production", bounds), ...problemFields("sandbox", bounds) };
            const { fields } = fieldErrors(problem, names);
            form.setErrors(fields);
            reveal(fields);
          },
        },
      ),
    reveal,
  );
  const changeOf = (environment: Environment): EndpointChange => ({
    set: (field, value) => {
      form.setFieldValue(`${environment}.${field}`, value);
      // Whether a credential holds is told by all of it.
      const all = Object.keys(form.errors).filter((at) => at.startsWith(`${environment}.credential.`));
      if (field.startsWith("credential.")) all.forEach(form.clearFieldError);
    },
    checkOther: (place) => form.validateField(`${environment}.others.${place}`),
    addOther: () => form.insertListItem(`${environment}.others`, ""),
    removeOther: (place) => form.removeListItem(`${environment}.others`, place),
  });
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
              unsaved={form.isDirty(`${environment}.credential`) || form.isDirty(`${environment}.tls`)}
              timeouts={{
                connect_timeout_ms: Number(form.values[environment].connect_timeout_ms),
                tls_timeout_ms: Number(form.values[environment].tls_timeout_ms),
                handshake_timeout_ms: Number(form.values[environment].handshake_timeout_ms),
              }}
              aside={
                <ActionIcon
                  variant="default"
                  size="lg"
                  aria-label={`Settings of the ${environment} endpoint`}
                  onClick={() => setDrawer(environment)}
                >
                  <span aria-hidden="true">⚙</span>
                </ActionIcon>
              }
            />
            {form.values[environment].url !== "" && (
              <p className={styles.below}>{saysAddresses(form.values[environment])}</p>
            )}
            <EndpointHealth apiId={api.id} environment={environment} />
          </Card>
        ))}
        {may ? <SaveRow design={design} dirty={form.isDirty()} /> : <Dim>A creator can change these.</Dim>}
      </Stack>
      {drawer && (
        <EndpointDrawer
          environment={drawer}
          bounds={bounds}
          row={form.values[drawer]}
          base={design.base.endpoints[drawer]}
          errors={form.errors}
          readOnly={!may}
          apiId={api.id}
          change={changeOf(drawer)}
          onClose={() => setDrawer(null)}
        />
      )}
    </form>
  );
}
