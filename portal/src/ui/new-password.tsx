// A password that somebody chooses: the rule that can be told while one types, and a field that a browser may show.
import { PasswordInput } from "@mantine/core";
import type { ReactNode } from "react";

/** What is wrong with a chosen password; the rest of the rules REST tells. */
export const newPasswordProblem = (text: string) =>
  [...text].length < 12 ? "A password has at least 12 characters: a few words do well." : null;

export const repeatedProblem = (text: string, chosen: string) =>
  text === chosen ? null : "The two are not the same.";

export function PasswordField(props: {
  label: string;
  autoComplete: string;
  value: string;
  onChange: (text: string) => void;
  error: ReactNode;
}) {
  return (
    <PasswordInput
      label={props.label}
      autoComplete={props.autoComplete}
      visibilityToggleButtonProps={{ "aria-label": `Show: ${props.label}` }}
      value={props.value}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      error={props.error}
      aria-invalid={Boolean(props.error)}
    />
  );
}
