// The form of a custom rule: its name, the expression that yields the key, and what is given to each key.
import { Button, Checkbox, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useSaveCustomRule } from "../../api/custom-rules";
import type { CustomRule } from "../../api/generated";
import { fieldErrors } from "../../api/problem";
import { ChoiceField } from "../../ui/choice-field";
import { Details, Dim, Facts, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { LimitList } from "./limit-fields";
import { NEW_LIMIT } from "./limit-row";
import { EXCESSES } from "./policy-row";
import {
  NEW_RULE,
  RULE_EXAMPLES,
  RULE_FACTS,
  type RuleRow,
  ruleErrors,
  ruleFields,
  ruleOf,
  ruleRow,
} from "./rule-row";
import { RuleTrial } from "./rule-trial";

export function RuleForm(props: {
  /** The one that is changed; `null` makes one. */
  was: CustomRule | null;
  onDone: () => void;
}) {
  const { was } = props;
  const save = useSaveCustomRule();
  const form = useForm<RuleRow>({ initialValues: was ? ruleRow(was) : NEW_RULE, validate: ruleErrors });
  const submit = form.onSubmit((row) =>
    save.mutate(
      { was, to: ruleOf(row) },
      {
        onSuccess: props.onDone,
        onError: (problem) => form.setErrors(fieldErrors(problem, ruleFields(row)).fields),
      },
    ),
  );
  const { limits, expression } = form.values;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {save.error && <ProblemNotice problem={save.error} />}
        <TextInput
          label="Name"
          description="Letters, digits, dots, hyphens and underscores. Clients that are held to it are told it."
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          withAsterisk
          data-autofocus
          {...form.getInputProps("name")}
        />
        <TextInput
          label="Description"
          description="For other administrators"
          {...form.getInputProps("description")}
        />
        <Textarea
          label="Expression"
          description="Yields the key in CEL: whoever has the same one shares a budget. null and an empty text: the rule does not apply."
          autosize
          minRows={3}
          maxLength={1024}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          withAsterisk
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          {...form.getInputProps("expression")}
        />
        <Details summary="What an expression can name">
          <Facts of={RULE_FACTS} />
          <Dim>
            Operators are those of CEL, with contains(), startsWith(), endsWith(), size(), string(), int(),
            double(), uint() and has(). There are no loops.
          </Dim>
        </Details>
        <Details summary="Examples">
          <Stack>
            {RULE_EXAMPLES.map((example) => (
              <Row key={example.expression}>
                <Button
                  variant="default"
                  size="compact-sm"
                  aria-label={`Use ${example.expression}`}
                  onClick={() => form.setFieldValue("expression", example.expression)}
                >
                  Use
                </Button>
                <code>{example.expression}</code>
                <Dim>{example.about}</Dim>
              </Row>
            ))}
          </Stack>
        </Details>
        <RuleTrial
          expression={expression}
          onExpression={(error) =>
            error ? form.setFieldError("expression", error) : form.clearFieldError("expression")
          }
        />
        <LimitList
          form={form}
          at="limits"
          limits={limits}
          of=""
          none="Enter a limit for each key."
          onAdd={() => form.insertListItem("limits", NEW_LIMIT)}
        />
        <ChoiceField
          label="What is beyond a limit"
          choices={EXCESSES}
          value={form.values.on_excess}
          onChange={(word) => form.setFieldValue("on_excess", word)}
          error={form.errors.on_excess}
        />
        <Checkbox
          label="Enabled"
          description="Live sessions are held to it within a second. What it looks at of users and claims is known of sessions that begin from then on."
          {...form.getInputProps("enabled", { type: "checkbox" })}
        />
        <div>
          <Button type="submit" loading={save.isPending}>
            {was ? "Save custom rule" : "Create custom rule"}
          </Button>
        </div>
      </Stack>
    </form>
  );
}
