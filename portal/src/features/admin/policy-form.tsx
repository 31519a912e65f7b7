// The form of a plan or policy: its name, what it limits, and what becomes of what is too much.
import { Button, NumberInput, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { type PolicyKind, useSavePolicy } from "../../api/policies";
import { fieldErrors } from "../../api/problem";
import type { Plan } from "../../api/types";
import { ChoiceField } from "../../ui/choice-field";
import { Dim, FieldGroup, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { GroupList } from "./group-fields";
import { LimitList } from "./limit-fields";
import { NEW_LIMIT } from "./limit-row";
import { PlanTerms } from "./plan-terms";
import {
  BOUNDS,
  EXCESSES,
  NEW_POLICY,
  type PolicyRow,
  policyErrors,
  policyFields,
  policyOf,
  policyRow,
} from "./policy-row";

export function PolicyForm(props: {
  kind: PolicyKind;
  noun: string;
  /** The one that is changed; `null` makes one. */
  was: Plan | null;
  onDone: () => void;
}) {
  const { kind, noun, was } = props;
  const save = useSavePolicy(kind);
  const form = useForm<PolicyRow>({
    initialValues: was ? policyRow(was) : NEW_POLICY,
    validate: policyErrors,
  });
  const submit = form.onSubmit((row) =>
    save.mutate(
      { was, to: policyOf(row) },
      {
        onSuccess: props.onDone,
        onError: (problem) => form.setErrors(fieldErrors(problem, policyFields(row)).fields),
      },
    ),
  );
  const { limits, groups } = form.values;
  const isLimited = limits.length > 0 || groups.some((group) => group.limits.length > 0);
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {save.error && <ProblemNotice problem={save.error} />}
        {was === null && (
          <TextInput
            label="Name"
            description="Letters, digits, dots, hyphens and underscores. It does not change later."
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            withAsterisk
            data-autofocus
            {...form.getInputProps("name")}
          />
        )}
        <TextInput
          label="Description"
          description="One sentence for whoever chooses"
          {...form.getInputProps("description")}
        />
        <LimitList
          form={form}
          at="limits"
          limits={limits}
          of=""
          none="Without a limit, everything passes."
          onAdd={() => form.insertListItem("limits", NEW_LIMIT)}
        />
        {kind === "api_policy" && <GroupList form={form} />}
        {isLimited && (
          <ChoiceField
            label="What is beyond a limit"
            choices={EXCESSES}
            value={form.values.on_excess}
            onChange={(word) => form.setFieldValue("on_excess", word)}
            error={form.errors.on_excess}
          />
        )}
        <FieldGroup title="Sessions">
          {BOUNDS.map(({ leaf, label, notices }) => (
            <NumberInput
              key={leaf}
              label={label}
              description={notices}
              allowDecimal={false}
              allowNegative={false}
              thousandSeparator=","
              hideControls
              {...form.getInputProps(leaf)}
            />
          ))}
        </FieldGroup>
        {kind === "plan" && <PlanTerms form={form} />}
        {was && (
          <Dim>
            Live sessions are held to this within a second, and none is closed by the change itself. A limit
            whose number changes goes on with what was used in its time.
          </Dim>
        )}
        <div>
          <Button type="submit" loading={save.isPending}>
            {was ? `Save ${noun}` : `Create ${noun}`}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
