// The form of a plan or policy: its name, what it limits, and what becomes of what is too much.
import { Button, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { type UseFormReturnType, useForm } from "@mantine/form";
import { type PolicyKind, useSavePolicy } from "../../api/policies";
import { fieldErrors } from "../../api/problem";
import type { Plan } from "../../api/types";
import { ChoiceField } from "../../ui/choice-field";
import { Dim, FieldGroup, Row, Stack } from "../../ui/page";
import { ProblemNotice } from "../../ui/states";
import { PlanTerms } from "./plan-terms";
import {
  BOUNDS,
  COUNTINGS,
  DIRECTIONS,
  EXCESSES,
  LIMITS_MAX,
  type LimitRow,
  NEW_LIMIT,
  NEW_POLICY,
  type PolicyRow,
  policyErrors,
  policyFields,
  policyOf,
  policyRow,
  UNITS,
  WINDOWS,
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
  const { limits } = form.values;
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
        {limits.map((_, place) => (
          <LimitFields key={place} form={form} place={place} />
        ))}
        {limits.length === 0 && <Dim>Without a limit, everything passes.</Dim>}
        <div>
          <Button
            variant="default"
            disabled={limits.length >= LIMITS_MAX}
            onClick={() => form.insertListItem("limits", NEW_LIMIT)}
          >
            Add a limit
          </Button>
        </div>
        {form.errors.limits && <Dim>{form.errors.limits}</Dim>}
        {limits.length > 0 && (
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

/** One limit, of a policy or of whatever else has some. */
export function LimitFields<R extends { limits: LimitRow[] }>(props: {
  form: UseFormReturnType<R>;
  place: number;
}) {
  const { form, place } = props;
  const row = form.values.limits[place];
  if (!row) return null;
  const of = (leaf: string) => form.getInputProps(`limits.${place}.${leaf}`);
  const remove = () => {
    // Places move, and what was wrong at a place with them.
    for (const at of Object.keys(form.errors)) if (at.startsWith("limits")) form.clearFieldError(at);
    form.removeListItem("limits", place);
  };
  return (
    <FieldGroup title={`Limit ${place + 1}`}>
      <Row>
        <NumberInput
          label={`Amount of limit ${place + 1}`}
          allowDecimal={false}
          allowNegative={false}
          thousandSeparator=","
          hideControls
          {...of("amount")}
        />
        <NativeSelect label={`What limit ${place + 1} counts`} data={UNITS} {...of("unit")} />
        <NativeSelect label={`Time of limit ${place + 1}`} data={WINDOWS} {...of("per")} />
      </Row>
      <Row>
        <NativeSelect
          label={`How limit ${place + 1} counts`}
          description="By the calendar, each time begins with the whole amount; sliding, what was used comes back evenly."
          data={COUNTINGS}
          {...of("counting")}
        />
        {row.counting === "sliding" && (
          <NumberInput
            label={`At once under limit ${place + 1}`}
            description="How many may come together after a rest"
            allowDecimal={false}
            allowNegative={false}
            thousandSeparator=","
            hideControls
            {...of("burst")}
          />
        )}
        {row.unit !== "connects" && (
          <NativeSelect
            label={`Whose messages limit ${place + 1} counts`}
            data={DIRECTIONS}
            {...of("direction")}
          />
        )}
      </Row>
      <div>
        <Button variant="default" size="compact-sm" aria-label={`Remove limit ${place + 1}`} onClick={remove}>
          Remove
        </Button>
      </div>
    </FieldGroup>
  );
}
