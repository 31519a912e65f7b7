// Topics: which there are, who may send on each and with which scopes, and what becomes of what a client sends where it
// may not.
import { Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api } from "../../api/types";
import { ChoiceField } from "../../ui/choice-field";
import { Card, Dim, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { RoleChoice } from "../roles/role-choice";
import { useApi } from "./api-frame";
import { DIRECTIONS, MISDIRECTED } from "./choices";
import { RuleRows } from "./rule-rows";
import { SaveRow } from "./save-row";
import {
  SCOPES_MAX,
  type ScopeRow,
  TOPICS_MAX,
  type TopicRow,
  type TopicRows,
  topicErrors,
  topicFields,
  topicRows,
  topicsOf,
} from "./topics-row";
import { useDesign } from "./use-design";

const COLUMNS = [
  { leaf: "path", label: "Path", placeholder: "/rooms/{room}" },
  { leaf: "description", label: "Description", placeholder: "What is said in a room" },
];
const EMPTY: TopicRow = {
  path: "/",
  description: "",
  direction: "both",
  open: false,
  publish_scopes: "",
  subscribe_scopes: "",
  api_policy: null,
};
const SCOPE_COLUMNS = [
  { leaf: "name", label: "Name in tokens", placeholder: "chat:write" },
  { leaf: "display_name", label: "Name for people", placeholder: "Write in rooms" },
  { leaf: "description", label: "What it is for", placeholder: "Say something in a room" },
];
const NEW_SCOPE: ScopeRow = { name: "", display_name: "", description: "", roles: [] };

export function Component() {
  const api = useApi();
  return (
    <>
      <title>{`Topics · ${api.name}`}</title>
      <TopicsForm api={api} />
    </>
  );
}

function TopicsForm({ api }: { api: Api }) {
  const may = useCan("api_create");
  const form = useForm<TopicRows>({ initialValues: topicRows(api), validate: topicErrors });
  const design = useDesign(api, (theirs) => form.setValues(topicRows(theirs)));
  const submit = form.onSubmit((rows) =>
    design.save(topicsOf(rows), {
      onSaved: () => form.resetDirty(rows),
      onProblem: (problem) => form.setErrors(fieldErrors(problem, topicFields(rows)).fields),
    }),
  );
  const { values, errors } = form;
  // Places move when a row comes or goes, and what was wrong at a place with them.
  const changeOf = (list: "declared" | "scopes", empty: TopicRow | ScopeRow) => {
    const clear = () => {
      for (const at of Object.keys(errors)) if (at.startsWith(list)) form.clearFieldError(at);
    };
    return {
      set: (place: number, leaf: string, value: string) =>
        form.setFieldValue(`${list}.${place}.${leaf}`, value),
      add: () => {
        clear();
        form.insertListItem(list, empty);
      },
      remove: (place: number) => {
        clear();
        form.removeListItem(list, place);
      },
      move: (from: number, to: number) => {
        clear();
        form.reorderListItem(list, { from, to });
      },
    };
  };
  const { move: _, ...scopeChange } = changeOf("scopes", NEW_SCOPE);
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {design.stale}
        {design.problem && <ProblemNotice problem={design.problem} />}
        <Card title="Topics">
          <Stack>
            <RuleRows
              about="A topic is what follows the API's path in an address. The first that an address fits is its topic, and an address that fits none is answered with 404. {name} stands for a whole segment, and a last segment * for all that follows. Without any, every address below the API's path is a topic, open both ways."
              noun="topic"
              adds="Add a topic"
              columns={COLUMNS}
              rows={values.declared.map(({ path, description }) => ({ path, description }))}
              max={TOPICS_MAX}
              path="declared"
              errors={errors}
              readOnly={!may}
              change={changeOf("declared", EMPTY)}
              beneath={(place) => (
                <Row>
                  <NativeSelect
                    label={`Who may send on topic ${place + 1}`}
                    disabled={!may}
                    data={DIRECTIONS.map(({ word, label }) => ({ value: word, label }))}
                    {...form.getInputProps(`declared.${place}.direction`)}
                  />
                  <TextInput
                    label={`Scopes to send on topic ${place + 1}`}
                    description="One of them; none: every token."
                    readOnly={!may}
                    spellCheck={false}
                    {...form.getInputProps(`declared.${place}.publish_scopes`)}
                  />
                  <TextInput
                    label={`Scopes to listen to topic ${place + 1}`}
                    description="One of them; none: every token."
                    readOnly={!may}
                    spellCheck={false}
                    {...form.getInputProps(`declared.${place}.subscribe_scopes`)}
                  />
                  <Checkbox
                    label={`Topic ${place + 1} needs no credential`}
                    description="Whoever comes without one has 500 messages a minute for the address."
                    disabled={!may}
                    {...form.getInputProps(`declared.${place}.open`, { type: "checkbox" })}
                  />
                </Row>
              )}
            />
          </Stack>
        </Card>
        <Card title="Scopes">
          <Stack>
            <RuleRows
              about="What topics may ask tokens for. An application gets the scopes of the APIs that it is subscribed to, as far as a person's roles allow: of whom the token speaks for, or of the application's owner. API keys and passwords have none. Where several APIs define a name, all of them have to allow it."
              noun="scope"
              adds="Define a scope"
              columns={SCOPE_COLUMNS}
              rows={values.scopes.map(({ roles: _roles, ...row }) => row)}
              max={SCOPES_MAX}
              path="scopes"
              errors={errors}
              readOnly={!may}
              change={scopeChange}
              beneath={(place) => (
                <RoleChoice
                  label={`Roles that may have scope ${place + 1}`}
                  description="None: everybody. An administrator may have all."
                  disabled={!may}
                  {...form.getInputProps(`scopes.${place}.roles`)}
                />
              )}
            />
          </Stack>
        </Card>
        <Card title="Messages against the direction">
          <ChoiceField
            label="What a client sends where only the backend may"
            description="It never reaches the backend, costs nothing of a plan and counts as a refusal. What a backend sends where only the client may is always dropped. Default Close."
            choices={MISDIRECTED}
            value={values.misdirected}
            onChange={(word) => form.setFieldValue("misdirected", word)}
            error={errors.misdirected}
            readOnly={!may}
          />
        </Card>
        {may ? <SaveRow design={design} dirty={form.isDirty()} /> : <Dim>A creator can change these.</Dim>}
      </Stack>
    </form>
  );
}
