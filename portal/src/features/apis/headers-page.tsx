// Headers and topics: which headers of a handshake the backend gets, what the gateway adds, and under which path of the
// backend a topic is found.
import { Switch } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { fieldErrors } from "../../api/problem";
import { useCan } from "../../api/session";
import type { Api, PassingBounds, Settings } from "../../api/types";
import { ChoiceField } from "../../ui/choice-field";
import { Address } from "../../ui/copy";
import { Card, Dim, FieldGroup, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { useApi } from "./api-frame";
import { FORWARDS } from "./choices";
import {
  type PassingList,
  type PassingRows,
  passingErrors,
  passingFields,
  passingOf,
  rowsOf,
} from "./passing-row";
import { Placeholders } from "./placeholders";
import { type Column, type RuleChange, RuleRows } from "./rule-rows";
import { SaveRow } from "./save-row";
import { TopicTryOut } from "./topic-try-out";
import { useDesign } from "./use-design";
import { WithSettings } from "./with-settings";

interface Rules {
  list: Exclude<PassingList, "mappings">;
  title: string;
  about: string;
  noun: string;
  adds: string;
  columns: Column[];
}

const NAME = { leaf: "name", label: "Name", placeholder: "X-Device" };

const RULES: Rules[] = [
  {
    list: "allow",
    title: "Allowed",
    about:
      "These pass where only listed ones do. Cookie passes only when it is allowed here or renamed below: it may be a credential.",
    noun: "allowed header",
    adds: "Allow a header",
    columns: [NAME],
  },
  {
    list: "deny",
    title: "Denied",
    about: "The backend never gets these from a client, under any name.",
    noun: "denied header",
    adds: "Deny a header",
    columns: [NAME],
  },
  {
    list: "rename",
    title: "Renamed",
    about:
      "A client's header under the name that the backend knows. What a client sends under that name itself is left out.",
    noun: "renamed header",
    adds: "Rename a header",
    columns: [
      { leaf: "from", label: "From the client", placeholder: "X-Device" },
      { leaf: "to", label: "To the backend", placeholder: "Device-Id" },
    ],
  },
  {
    list: "set",
    title: "Set",
    about:
      "Said by the gateway in every handshake, in place of the client's header of that name. What stands in braces is filled in from the session.",
    noun: "set header",
    adds: "Set a header",
    columns: [
      { leaf: "name", label: "Name", placeholder: "X-Application" },
      { leaf: "value", label: "Value", placeholder: "{application}" },
    ],
  },
];

const TOPICS: Column[] = [
  { leaf: "topic", label: "Topic", placeholder: "/rooms/{room}" },
  { leaf: "backend", label: "Path at the backend", placeholder: "/chat?room={room}" },
];

/** A rule that was just added. */
const EMPTY: { [L in PassingList]: PassingRows[L][number] } = {
  allow: { name: "" },
  deny: { name: "" },
  rename: { from: "", to: "" },
  set: { name: "", value: "" },
  mappings: { topic: "/", backend: "/" },
};

export function Component() {
  const api = useApi();
  return (
    <WithSettings>
      {(settings) => (
        <>
          <title>{`Headers and topics · ${api.name}`}</title>
          <HeadersForm api={api} settings={settings} />
        </>
      )}
    </WithSettings>
  );
}

/** Places move when a rule comes or goes, and what was wrong at a place with them: it is looked at again on Save. */
function changeOf(form: UseFormReturnType<PassingRows>, list: PassingList): RuleChange {
  const clear = () => {
    for (const at of Object.keys(form.errors))
      if (at === list || at.startsWith(`${list}.`)) form.clearFieldError(at);
  };
  return {
    set: (place, leaf, value) => form.setFieldValue(`${list}.${place}.${leaf}`, value),
    add: () => {
      clear();
      form.insertListItem(list, EMPTY[list]);
    },
    remove: (place) => {
      clear();
      form.removeListItem(list, place);
    },
    move: (from, to) => {
      clear();
      form.reorderListItem(list, { from, to });
    },
  };
}

function HeadersForm({ api, settings }: { api: Api; settings: Settings }) {
  const may = useCan("api_create");
  const bounds: PassingBounds = settings.passing_bounds;
  const form = useForm<PassingRows>({
    initialValues: rowsOf(api),
    validate: (rows) => passingErrors(rows, bounds),
  });
  const design = useDesign(api, (theirs) => form.setValues(rowsOf(theirs)));
  const submit = form.onSubmit((rows) =>
    design.save(passingOf(rows, design.base), {
      onSaved: () => form.resetDirty(rows),
      onProblem: (problem) => form.setErrors(fieldErrors(problem, passingFields(rows)).fields),
    }),
  );
  const { values, errors } = form;
  const changeSet = changeOf(form, "set");
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {design.stale}
        {design.problem && <ProblemNotice problem={design.problem} />}
        <Card title="Headers">
          <Stack>
            <ChoiceField
              label="What is forwarded"
              description="Of the headers in a client's handshake. What belongs to the connection or to the handshake itself, credentials and what the gateway says itself never pass. Default All headers."
              choices={FORWARDS}
              value={values.forward}
              onChange={(word) => form.setFieldValue("forward", word)}
              error={errors.forward}
              readOnly={!may}
            />
            {RULES.map(({ list, ...rules }) => {
              const { set, add, remove } = changeOf(form, list);
              return (
                <RuleRows
                  key={list}
                  {...rules}
                  rows={values[list]}
                  max={bounds.header_rules_max}
                  path={list}
                  errors={errors}
                  readOnly={!may}
                  change={{ set, add, remove }}
                  {...(list === "set" &&
                    may && {
                      beneath: (place) => (
                        <Placeholders
                          of={`set header ${place + 1}`}
                          names={bounds.placeholders}
                          onChoose={(text) =>
                            changeSet.set(place, "value", `${values.set[place]?.value ?? ""}${text}`)
                          }
                        />
                      ),
                    })}
                />
              );
            })}
            <FieldGroup title="Backend JWT">
              <Switch
                label="Say who the client is in a signed token"
                description="The backend gets a JWT in X-JWT-Assertion: who the client is, its application, its plan, the API and the session, signed by this installation and valid for 60 seconds. A client cannot send that header itself; where no token can be signed it gets 500. Default off."
                disabled={!may}
                error={errors.backend_jwt}
                {...form.getInputProps("backend_jwt", { type: "checkbox" })}
              />
              {values.backend_jwt && (
                <div>
                  <Dim>A backend checks it with the public keys at</Dim>
                  <Address
                    value={`${settings.issuer}/oauth2/backend-jwks`}
                    label="address of the public keys"
                  />
                </div>
              )}
            </FieldGroup>
          </Stack>
        </Card>
        <Card title="Topic mappings">
          <Stack>
            <RuleRows
              about="A topic that fits leads to this path behind the endpoint's own. The first that fits decides; a topic that none fits is appended as it is. {name} stands for a whole segment of a topic, and a last segment * for all that follows, filled in as {*}."
              noun="topic mapping"
              adds="Add a topic mapping"
              columns={TOPICS}
              rows={values.mappings.map((mapping) => ({ ...mapping }))}
              max={bounds.mappings_max}
              path="mappings"
              errors={errors}
              readOnly={!may}
              change={changeOf(form, "mappings")}
            />
            <TopicTryOut mappings={values.mappings} />
          </Stack>
        </Card>
        {may ? <SaveRow design={design} dirty={form.isDirty()} /> : <Dim>A creator can change these.</Dim>}
      </Stack>
    </form>
  );
}
