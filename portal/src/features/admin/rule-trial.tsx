// An expression tried against a sample: a session and a message as they are typed, and what the expression yields for them.
import { Button, NativeSelect, NumberInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTestCustomRule } from "../../api/custom-rules";
import { fieldErrors, type Problem } from "../../api/problem";
import { Notice } from "../../ui/notice";
import { Dim, FieldGroup, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { ASKED, claimsOf, outcome, SAMPLE, type SampleRow, sampleOf } from "./rule-row";

const FIELDS = { "/expression": "expression", "/sample/address": "address" };

export function RuleTrial(props: {
  expression: string;
  /** The expression cannot be read, and why; empty when it can. */
  onExpression: (error: string) => void;
}) {
  const [sample, setSample] = useState<SampleRow>(SAMPLE);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const trial = useTestCustomRule();
  const of = (leaf: keyof SampleRow) => ({
    value: sample[leaf],
    error: errors[leaf],
    onChange: (event: { currentTarget: { value: string } }) => change(leaf, event.currentTarget.value),
  });
  const change = (leaf: keyof SampleRow, value: string | number) => {
    trial.reset();
    setErrors({});
    setSample({ ...sample, [leaf]: value });
  };
  const told = (problem: Problem) => {
    const { expression = "", ...fields } = fieldErrors(problem, FIELDS).fields;
    props.onExpression(expression);
    setErrors(fields);
  };
  const run = () => {
    props.onExpression("");
    if (claimsOf(sample.claims) === null) return setErrors({ claims: "Write a JSON object." });
    setErrors({});
    trial.mutate({ expression: props.expression, sample: sampleOf(sample) }, { onError: told });
  };
  const found = trial.data && outcome(trial.data);
  const plain = { autoCapitalize: "none", autoComplete: "off", spellCheck: false } as const;
  return (
    <FieldGroup title="Try it against a sample" about="Nothing is saved, and nobody is held to it.">
      <Row>
        <TextInput label="User" {...plain} {...of("user")} />
        <TextInput label="Application" {...plain} {...of("application")} />
        <TextInput label="Address" {...plain} {...of("address")} />
      </Row>
      <Row>
        <TextInput label="API" {...plain} {...of("api")} />
        <TextInput label="Version" {...plain} {...of("version")} />
        <TextInput label="Context" {...plain} {...of("context")} />
      </Row>
      <Row>
        <TextInput label="Topic" {...plain} {...of("topic")} />
        <NumberInput
          label="Size (bytes)"
          allowDecimal={false}
          allowNegative={false}
          thousandSeparator=","
          hideControls
          value={sample.size}
          onChange={(size) => change("size", size)}
        />
        <NativeSelect
          label="Direction"
          data={[
            { value: "publish", label: "publish: the client sends" },
            { value: "subscribe", label: "subscribe: the backend sends" },
          ]}
          {...of("direction")}
        />
      </Row>
      <Textarea
        label="Claims of the token"
        description="A JSON object"
        autosize
        minRows={1}
        styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        {...plain}
        {...of("claims")}
      />
      <Stack>
        <div>
          <Button variant="default" loading={trial.isPending} onClick={run}>
            Try expression
          </Button>
        </div>
        {trial.error && <ProblemNotice problem={trial.error} />}
        {found && (
          <Notice tone={found.tone} title={found.title} live>
            {found.about} <Dim>{`Asked: ${ASKED[trial.data.asked_for_each]?.toLowerCase()}.`}</Dim>
          </Notice>
        )}
      </Stack>
    </FieldGroup>
  );
}
