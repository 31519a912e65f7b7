// Security: which credentials the API accepts, where they may be, and from which web pages a browser may connect.
import { Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api } from "../../api/types";
import type { Choice } from "../../ui/choice-field";
import { Notice } from "../../ui/notice";
import { Card, Dim, FieldGroup, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { AcceptedIssuers } from "./accepted-issuers";
import { useApi } from "./api-frame";
import { WAYS } from "./choices";
import { RuleRows } from "./rule-rows";
import { SaveRow } from "./save-row";
import {
  ORIGINS_MAX,
  type SecurityRows,
  securityErrors,
  securityFields,
  securityOf,
  securityRows,
} from "./security-row";
import { useDesign } from "./use-design";

const GROUPS: { title: string; about: string; ways: Choice[] }[] = [
  {
    title: "Access tokens",
    about: "OAuth tokens of an application's key. A token in a place that is off is refused with 401.",
    ways: WAYS.filter(({ word }) => word.startsWith("oauth_")),
  },
  {
    title: "Tickets",
    about: "What a page buys with an access token, so that no address holds one that is worth something.",
    ways: WAYS.filter(({ word }) => word === "ticket"),
  },
  {
    title: "API keys",
    about: "Secrets that a developer makes for an application, presented as they are.",
    ways: WAYS.filter(({ word }) => word.startsWith("api_key_")),
  },
  {
    title: "Name and password",
    about: "For clients that can do nothing else.",
    ways: WAYS.filter(({ word }) => word === "basic"),
  },
  {
    title: "Certificates",
    about: "Certificates that a developer adds to an application; nobody else has to vouch for them.",
    ways: WAYS.filter(({ word }) => word === "mutual_tls"),
  },
  {
    title: "Open to everybody",
    about: "For what anybody may see. A topic can be open by itself, on the page Topics.",
    ways: WAYS.filter(({ word }) => word === "none"),
  },
];

/** What clients use where an API says nothing else. */
const API_KEY_HEADER = "ApiKey";
const API_KEY_QUERY = "apikey";

type Rows = SecurityRows & { issuers: string[] };

const ORIGIN = { leaf: "origin", label: "Origin", placeholder: "https://app.example.com" };

export function Component() {
  const api = useApi();
  return (
    <>
      <title>{`Security · ${api.name}`}</title>
      <SecurityForm api={api} />
    </>
  );
}

function SecurityForm({ api }: { api: Api }) {
  const may = useCan("api_create");
  const rowsOf = (of: Api): Rows => ({ ...securityRows(of.security), issuers: of.issuers });
  const form = useForm<Rows>({
    initialValues: rowsOf(api),
    validate: securityErrors,
  });
  const design = useDesign(api, (theirs) => form.setValues(rowsOf(theirs)));
  const submit = form.onSubmit((rows) =>
    design.save(
      { security: securityOf(rows, design.base.security), issuers: rows.issuers },
      {
        onSaved: () => form.resetDirty(rows),
        onProblem: (problem) =>
          form.setErrors(fieldErrors(problem, { ...securityFields(rows), "/issuers": "issuers" }).fields),
      },
    ),
  );
  const { values, errors } = form;
  const clearOrigins = () => {
    for (const at of Object.keys(errors)) if (at.startsWith("origins")) form.clearFieldError(at);
  };
  const accept = (word: string, on: boolean) => {
    const others = values.accepts.filter((other) => other !== word);
    form.setFieldValue("accepts", on ? [...others, word] : others);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {design.stale}
        {design.problem && <ProblemNotice problem={design.problem} />}
        <Card title="Credentials">
          <Stack>
            <Dim>
              What a client may prove itself with. It presents one; more than one is refused with 400, so that
              a bad one never hides behind a good one. None of them reaches the backend.
            </Dim>
            {GROUPS.map(({ title, about, ways }) => (
              <FieldGroup key={title} title={title} about={about}>
                {ways.map(({ word, label, notices }) => (
                  <Switch
                    key={word}
                    label={label}
                    description={notices}
                    disabled={!may}
                    checked={values.accepts.includes(word)}
                    onChange={(event) => accept(word, event.currentTarget.checked)}
                    data-path="accepts"
                  />
                ))}
                {title === "API keys" && (
                  <Row>
                    <TextInput
                      label="Header of API keys"
                      description={`Default ${API_KEY_HEADER}.`}
                      readOnly={!may}
                      spellCheck={false}
                      {...form.getInputProps("api_key_header")}
                    />
                    <TextInput
                      label="Query parameter of API keys"
                      description={`Default ${API_KEY_QUERY}.`}
                      readOnly={!may}
                      spellCheck={false}
                      {...form.getInputProps("api_key_query")}
                    />
                  </Row>
                )}
              </FieldGroup>
            ))}
            {errors.accepts && (
              <Notice tone="bad" live>
                {errors.accepts}
              </Notice>
            )}
          </Stack>
        </Card>
        <AcceptedIssuers
          accepted={values.issuers}
          readOnly={!may}
          error={errors.issuers}
          onChange={(accepted) => form.setFieldValue("issuers", accepted)}
        />
        <Card title="Web pages">
          <Stack>
            <RuleRows
              about="From which pages a browser may connect; one of another origin gets 403 before anything else is looked at. An origin is exact, https://*.example.com takes any one label, null a page without an origin, * every page. Default none: then every page may, as it has to know the credential, but none where the browser adds something by itself, like a cookie that is passed on. Programs send no origin and are not stopped."
              noun="origin"
              adds="Add an origin"
              columns={[ORIGIN]}
              rows={values.origins.map((row) => ({ ...row }))}
              max={ORIGINS_MAX}
              path="origins"
              errors={errors}
              readOnly={!may}
              change={{
                set: (place, leaf, value) => form.setFieldValue(`origins.${place}.${leaf}`, value),
                add: () => {
                  clearOrigins();
                  form.insertListItem("origins", { origin: "" });
                },
                remove: (place) => {
                  clearOrigins();
                  form.removeListItem("origins", place);
                },
              }}
            />
          </Stack>
        </Card>
        {may ? <SaveRow design={design} dirty={form.isDirty()} /> : <Dim>A creator can change these.</Dim>}
      </Stack>
    </form>
  );
}
