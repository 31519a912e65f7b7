// A number with its unit, what a client notices of it, its default and its bounds; beside it the value as people read it.
import { NumberInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { Bounds } from "../../api/types";
import { count } from "../../lib/format";
import styles from "../../ui/ui.module.css";
import { checkNumber, type Unit, unitName } from "./endpoint-row";
import { fieldValue } from "./words";

const STEPS: Record<Unit, number> = { ms: 1_000, bytes: 1_024, failures: 1, checks: 1 };

export function BoundedField(props: {
  label: string;
  /** The end of its REST path, which decides how its values are read. */
  leaf: string;
  unit: Unit;
  notices: string;
  bounds: Bounds;
  value: number | string;
  onChange: (value: number | string) => void;
  error?: ReactNode;
  readOnly: boolean;
  /** Its name in the form, by which the form finds it to focus it. */
  path?: string;
}) {
  const { bounds, unit, value } = props;
  const read = (number: number) => fieldValue(props.leaf, String(number));
  const told = (number: number) => {
    const words = read(number);
    return words === `${count(number)} ${unit}` || words === `${count(number)} B`
      ? count(number)
      : `${count(number)} (${words})`;
  };
  const broken = checkNumber(value, bounds, unit);
  return (
    <NumberInput
      label={`${props.label} (${unitName(unit)})`}
      description={`${props.notices} Default ${told(bounds.default)}, from ${told(bounds.min)} to ${told(bounds.max)}.`}
      value={value}
      onChange={props.onChange}
      readOnly={props.readOnly}
      allowDecimal={false}
      allowNegative={false}
      thousandSeparator=","
      step={STEPS[unit]}
      hideControls
      rightSection={broken === null ? <span className={styles.reading}>{read(Number(value))}</span> : null}
      rightSectionWidth="max-content"
      rightSectionPointerEvents="none"
      error={props.error ?? broken}
      data-path={props.path}
    />
  );
}
