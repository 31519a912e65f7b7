// The fields of limits in a form: those of a policy, of one of its groups, or of whatever else has some.
import { Button, NativeSelect, NumberInput } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { Dim, FieldGroup, Row } from "../../ui/page";
import { COUNTINGS, DIRECTIONS, LIMITS_MAX, type LimitRow, UNITS, WINDOWS } from "./limit-row";

/** Removes a row of a list. Places move, and what was wrong at a place with them. */
export function removeRow<R>(form: UseFormReturnType<R>, at: string, place: number) {
  forgetErrors(form, at);
  form.removeListItem(at, place);
}

/** Nothing is wrong at these places any more, until it is asked again. */
export function forgetErrors<R>(form: UseFormReturnType<R>, at: string) {
  for (const field of Object.keys(form.errors)) if (field.startsWith(at)) form.clearFieldError(field);
}

export function LimitList<R>(props: {
  form: UseFormReturnType<R>;
  /** Where they are in the form. */
  at: string;
  limits: LimitRow[];
  /** Whose they are, where they are not the policy's own: ` of group 1`. */
  of: string;
  none: string;
  onAdd: () => void;
}) {
  const { form, at, limits, of } = props;
  return (
    <>
      {limits.map((row, place) => (
        <LimitFields
          key={place}
          form={form}
          row={row}
          at={`${at}.${place}`}
          name={`limit ${place + 1}${of}`}
          onRemove={() => removeRow(form, at, place)}
        />
      ))}
      {limits.length === 0 && <Dim>{props.none}</Dim>}
      <div>
        <Button
          variant="default"
          disabled={limits.length >= LIMITS_MAX}
          {...(of && { "aria-label": `Add a limit${of}` })}
          onClick={props.onAdd}
        >
          Add a limit
        </Button>
      </div>
      {form.errors[at] && <Dim>{form.errors[at]}</Dim>}
    </>
  );
}

function LimitFields<R>(props: {
  form: UseFormReturnType<R>;
  row: LimitRow;
  at: string;
  name: string;
  onRemove: () => void;
}) {
  const { row, name } = props;
  const of = (leaf: string) => props.form.getInputProps(`${props.at}.${leaf}`);
  return (
    <FieldGroup title={`L${name.slice(1)}`}>
      <Row>
        <NumberInput
          label={`Amount of ${name}`}
          allowDecimal={false}
          allowNegative={false}
          thousandSeparator=","
          hideControls
          {...of("amount")}
        />
        <NativeSelect label={`What ${name} counts`} data={UNITS} {...of("unit")} />
        <NativeSelect label={`Time of ${name}`} data={WINDOWS} {...of("per")} />
      </Row>
      <Row>
        <NativeSelect
          label={`How ${name} counts`}
          description="By the calendar, each time begins with the whole amount; sliding, what was used comes back evenly."
          data={COUNTINGS}
          {...of("counting")}
        />
        {row.counting === "sliding" && (
          <NumberInput
            label={`At once under ${name}`}
            description="How many may come together after a rest"
            allowDecimal={false}
            allowNegative={false}
            thousandSeparator=","
            hideControls
            {...of("burst")}
          />
        )}
        {row.unit !== "connects" && (
          <NativeSelect label={`Whose messages ${name} counts`} data={DIRECTIONS} {...of("direction")} />
        )}
      </Row>
      <div>
        <Button variant="default" size="compact-sm" aria-label={`Remove ${name}`} onClick={props.onRemove}>
          Remove
        </Button>
      </div>
    </FieldGroup>
  );
}
