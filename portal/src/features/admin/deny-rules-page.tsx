// Deny rules: who is kept out of every gateway whatever they present, each switched on and off, changed and deleted.
import { Button, Checkbox, Modal, NativeSelect, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { applicationsQuery } from "../../api/applications";
import {
  denyRulesQuery,
  useCreateDenyRule,
  useDeleteDenyRule,
  useUpdateDenyRule,
} from "../../api/deny-rules";
import type { DenyRule, DenyRuleInput } from "../../api/generated";
import { asProblem, fieldErrors } from "../../api/problem";
import { Confirm } from "../../ui/confirm";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { When } from "../../ui/when";
import { ADMIN_CRUMB } from "./crumb";

const KINDS = [
  { value: "address", label: "Address" },
  { value: "range", label: "Range of addresses" },
  { value: "user", label: "User" },
  { value: "application", label: "Application" },
  { value: "api", label: "API" },
];

const VALUES: Record<string, { label: string; description: string }> = {
  address: { label: "Address", description: "IPv4 or IPv6, like 203.0.113.7 or 2001:db8::7" },
  range: { label: "Range", description: "Like 203.0.113.0/24 or 2001:db8::/32" },
  user: {
    label: "User name",
    description: "Whoever a token speaks for; where it speaks for nobody, whose application it is",
  },
  api: { label: "Context", description: "Like /echowebsocket; all versions are denied" },
};

/** Whom a rule is about, in words. */
function about(rule: DenyRule): string {
  const kind = KINDS.find((kind) => kind.value === rule.kind)?.label ?? rule.kind;
  const named = rule.application_name ?? rule.value;
  return rule.inverted ? `All but ${kind.toLowerCase()} ${named}` : `${kind} ${named}`;
}

function isPlace(kind: string): boolean {
  return kind === "address" || kind === "range";
}

function asInput({ kind, value, inverted, enabled, reason }: DenyRule): DenyRuleInput {
  return { kind, value, inverted, enabled, reason };
}

export function Component() {
  const [adding, setAdding] = useState(false);
  return (
    <Measure>
      <title>Deny rules · Tidegate</title>
      <PageHead
        title="Deny rules"
        crumbs={[ADMIN_CRUMB]}
        action={<Button onClick={() => setAdding(true)}>Create deny rule</Button>}
      />
      <Stack>
        <Card title="Rules">
          <RuleList />
        </Card>
        <Dim>
          Whom an enabled rule names gets no connection at any gateway (403, denied), and loses live sessions
          within a second (code 3003). Rules do not touch the portals.
        </Dim>
      </Stack>
      <Modal
        opened={adding}
        onClose={() => setAdding(false)}
        title="Create deny rule"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <NewRule onDone={() => setAdding(false)} />
      </Modal>
    </Measure>
  );
}

function RuleList() {
  const rules = useQuery(denyRulesQuery);
  const update = useUpdateDenyRule();
  const remove = useDeleteDenyRule();
  const [changing, setChanging] = useState<DenyRule | null>(null);
  const [asked, setAsked] = useState<DenyRule | null>(null);
  if (rules.isPending) return <Loading lines={2} />;
  if (rules.isError) {
    return <ProblemNotice problem={asProblem(rules.error)} onRetry={() => rules.refetch()} />;
  }
  if (rules.data.length === 0) {
    return (
      <Empty title="Nobody is denied">A rule keeps an address, a person or a program out at once.</Empty>
    );
  }
  const toggle = (rule: DenyRule) =>
    update.mutate({ rule, to: { ...asInput(rule), enabled: !rule.enabled } });
  return (
    <Stack>
      {update.error && <ProblemNotice problem={update.error} />}
      {remove.error && <ProblemNotice problem={remove.error} />}
      <Table caption="Deny rules" head={["Denied", "Reason", "Made", "Enabled", "Actions"]}>
        {rules.data.map((rule) => (
          <tr key={rule.id}>
            <td>{about(rule)}</td>
            <td>{rule.reason || "–"}</td>
            <td>
              <When at={rule.created_at} /> by {rule.created_by}
            </td>
            <td>
              <Switch
                aria-label={`Enabled: ${about(rule)}`}
                checked={rule.enabled}
                disabled={update.isPending}
                onChange={() => toggle(rule)}
              />
            </td>
            <td>
              <Row>
                <RowAction name={`Change: ${about(rule)}`} onClick={() => setChanging(rule)}>
                  Change
                </RowAction>
                <RowAction name={`Delete: ${about(rule)}`} onClick={() => setAsked(rule)}>
                  Delete
                </RowAction>
              </Row>
            </td>
          </tr>
        ))}
      </Table>
      <Confirm
        opened={asked !== null}
        title="Delete this deny rule?"
        action="Delete rule"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate(asked, { onSettled: () => setAsked(null) })}
      >
        <p>{asked && about(asked)}</p>
        <p>Whom it names can connect again, where nothing else keeps them out.</p>
      </Confirm>
      <Modal
        opened={changing !== null}
        onClose={() => setChanging(null)}
        title="Change deny rule"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {changing && <ChangedRule rule={changing} onDone={() => setChanging(null)} />}
      </Modal>
    </Stack>
  );
}

function NewRule({ onDone }: { onDone: () => void }) {
  const create = useCreateDenyRule();
  return (
    <RuleForm
      initial={{ kind: "address", value: "", inverted: false, enabled: true, reason: "" }}
      action="Create deny rule"
      mutation={create}
      onSubmit={(to, onError) => create.mutate(to, { onSuccess: onDone, onError })}
    />
  );
}

function ChangedRule({ rule, onDone }: { rule: DenyRule; onDone: () => void }) {
  const update = useUpdateDenyRule();
  return (
    <RuleForm
      initial={asInput(rule)}
      action="Save deny rule"
      mutation={update}
      onSubmit={(to, onError) => update.mutate({ rule, to }, { onSuccess: onDone, onError })}
    />
  );
}

function RuleForm(props: {
  initial: DenyRuleInput;
  action: string;
  mutation: { error: ReturnType<typeof asProblem> | null; isPending: boolean };
  onSubmit: (to: DenyRuleInput, onError: (problem: ReturnType<typeof asProblem>) => void) => void;
}) {
  const form = useForm({
    initialValues: {
      ...props.initial,
      inverted: props.initial.inverted ?? false,
      reason: props.initial.reason ?? "",
    },
    validate: { value: (text) => (text.trim() === "" ? "Say whom the rule is about." : null) },
  });
  const { kind } = form.values;
  const names = { "/kind": "kind", "/value": "value", "/inverted": "inverted", "/reason": "reason" };
  const submit = form.onSubmit((values) =>
    props.onSubmit({ ...values, inverted: isPlace(values.kind) && values.inverted }, (problem) =>
      form.setErrors(fieldErrors(problem, names).fields),
    ),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {props.mutation.error && <ProblemNotice problem={props.mutation.error} />}
        <NativeSelect
          label="Deny"
          data={KINDS}
          value={kind}
          error={form.errors.kind}
          onChange={(event) => form.setValues({ kind: event.currentTarget.value, value: "" })}
        />
        {kind === "application" ? (
          <ApplicationField
            value={form.values.value}
            error={form.errors.value}
            onChange={(value) => form.setFieldValue("value", value)}
          />
        ) : (
          <TextInput
            {...VALUES[kind]}
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            withAsterisk
            data-autofocus
            {...form.getInputProps("value")}
          />
        )}
        {isPlace(kind) && (
          <Checkbox
            label="Deny everybody but these"
            description="All enabled rules of this sort hold together: who is in none of them is denied."
            {...form.getInputProps("inverted", { type: "checkbox" })}
          />
        )}
        <TextInput
          label="Reason"
          description="For other administrators; nobody who is denied sees it"
          {...form.getInputProps("reason")}
        />
        <div>
          <Button type="submit" loading={props.mutation.isPending}>
            {props.action}
          </Button>
        </div>
      </Stack>
    </form>
  );
}

/** One of all applications. */
function ApplicationField(props: { value: string; onChange: (value: string) => void; error: ReactNode }) {
  const applications = useQuery(applicationsQuery);
  const items = applications.data ?? [];
  return (
    <NativeSelect
      label="Application"
      withAsterisk
      value={props.value}
      error={props.error}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      data={[
        { value: "", label: applications.isPending ? "Reading…" : "Choose one" },
        ...items.map((found) => ({ value: found.id, label: `${found.name} of ${found.owner}` })),
      ]}
    />
  );
}
