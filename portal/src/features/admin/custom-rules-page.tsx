// Custom rules: limits for whatever an expression tells apart, each tried, switched on and off, changed and deleted.
import { Button, Modal, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { customRulesQuery, useDeleteCustomRule, useSaveCustomRule } from "../../api/custom-rules";
import type { CustomRule } from "../../api/generated";
import { asProblem } from "../../api/problem";
import { planLimit } from "../../lib/format";
import { Confirm } from "../../ui/confirm";
import { Card, Dim, Measure, PageHead, Row, Stack, Table } from "../../ui/page";
import { RowAction } from "../../ui/row-action";
import { Empty, Loading, ProblemNotice } from "../../ui/states";
import { ADMIN_CRUMB } from "./crumb";
import { RuleForm } from "./rule-form";
import { ASKED, switched } from "./rule-row";

export function Component() {
  /** The one that is changed; `null`: one is made. */
  const [formed, setFormed] = useState<CustomRule | null | undefined>(undefined);
  const close = () => setFormed(undefined);
  return (
    <Measure>
      <title>Custom rules · Tidegate</title>
      <PageHead
        title="Custom rules"
        crumbs={[ADMIN_CRUMB]}
        action={<Button onClick={() => setFormed(null)}>Create custom rule</Button>}
      />
      <Stack>
        <Card title="Rules">
          <RuleList onChange={setFormed} />
        </Card>
        <Dim>
          An expression yields a key for a session or a message, and whoever has the same key shares a budget,
          at all APIs and beside every plan. Where it fails, as for want of a claim, the rule does not apply.
        </Dim>
      </Stack>
      <Modal
        opened={formed !== undefined}
        onClose={close}
        size="xl"
        title={formed ? `Change ${formed.name}` : "Create custom rule"}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {formed !== undefined && <RuleForm was={formed} onDone={close} />}
      </Modal>
    </Measure>
  );
}

function RuleList({ onChange }: { onChange: (rule: CustomRule) => void }) {
  const rules = useQuery(customRulesQuery);
  const save = useSaveCustomRule();
  const remove = useDeleteCustomRule();
  const [asked, setAsked] = useState<CustomRule | null>(null);
  if (rules.isPending) return <Loading lines={2} />;
  if (rules.isError) {
    return <ProblemNotice problem={asProblem(rules.error)} onRetry={() => rules.refetch()} />;
  }
  if (rules.data.length === 0) {
    return (
      <Empty title="No custom rules">
        A rule limits each person, each tenant, large messages, or whatever else an expression tells apart.
      </Empty>
    );
  }
  return (
    <Stack>
      {save.error && <ProblemNotice problem={save.error} />}
      {remove.error && <ProblemNotice problem={remove.error} />}
      <Table caption="Custom rules" head={["Name", "Key", "Limits", "Asked", "Enabled", "Actions"]}>
        {rules.data.map((rule) => (
          <tr key={rule.id}>
            <td>
              {rule.name}
              {rule.description && (
                <>
                  <br />
                  <Dim>{rule.description}</Dim>
                </>
              )}
            </td>
            <td>
              <code>{rule.expression}</code>
            </td>
            <td>{planLimit(rule)}</td>
            <td>{rule.asked_for_each ? ASKED[rule.asked_for_each] : "Cannot be read"}</td>
            <td>
              <Switch
                aria-label={`Enabled: ${rule.name}`}
                checked={rule.enabled}
                disabled={save.isPending}
                onChange={() => save.mutate({ was: rule, to: switched(rule) })}
              />
            </td>
            <td>
              <Row>
                <RowAction name={`Change ${rule.name}`} onClick={() => onChange(rule)}>
                  Change
                </RowAction>
                <RowAction name={`Delete ${rule.name}`} onClick={() => setAsked(rule)}>
                  Delete
                </RowAction>
              </Row>
            </td>
          </tr>
        ))}
      </Table>
      <Confirm
        opened={asked !== null}
        title="Delete this custom rule?"
        action="Delete rule"
        destructive
        busy={remove.isPending}
        onClose={() => setAsked(null)}
        onConfirm={() => asked && remove.mutate(asked, { onSettled: () => setAsked(null) })}
      >
        <p>{asked && `${asked.name}: ${planLimit(asked)}`}</p>
        <p>What was used of its keys is forgotten. Plans and policies hold as before.</p>
      </Confirm>
    </Stack>
  );
}
