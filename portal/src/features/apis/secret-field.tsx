// A secret that only goes out: it is never filled in, and empty it keeps the one that is there.
import { PasswordInput, Textarea } from "@mantine/core";
import type { ReactNode } from "react";

export function SecretField(props: {
  label: string;
  /** How it is called in a sentence: `password`. */
  noun: string;
  description: string;
  /** Whether an empty field keeps a secret. */
  kept: boolean;
  value: string;
  onChange: (value: string) => void;
  error?: ReactNode;
  readOnly: boolean;
  path: string;
  /** More than a line, as a key is. */
  lines?: boolean;
}) {
  const { noun, kept } = props;
  const told = kept ? `A ${noun} is kept and never shown. Empty: it stays. ` : "";
  const shared = {
    label: props.label,
    description: `${told}${props.description}`,
    placeholder: kept ? `A ${noun} is kept` : props.readOnly ? "nothing" : "",
    value: props.value,
    error: props.error,
    readOnly: props.readOnly,
    autoComplete: "new-password",
    spellCheck: false,
    "data-path": props.path,
  };
  return props.lines ? (
    <Textarea
      {...shared}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      minRows={3}
      maxRows={8}
      autosize
    />
  ) : (
    <PasswordInput
      {...shared}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      visibilityToggleButtonProps={{ "aria-label": `Show the ${noun}` }}
    />
  );
}
