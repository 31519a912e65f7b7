// One of several words, each with the sentence that says what follows from it.
import { Radio } from "@mantine/core";
import type { ReactNode } from "react";
import { Stack } from "./page";
import styles from "./ui.module.css";

/** A word of REST: its name, and what a person will notice of it. */
export interface Choice {
  word: string;
  label: string;
  notices: string;
}

export function ChoiceField(props: {
  label: string;
  description?: string;
  choices: Choice[];
  value: string;
  onChange: (word: string) => void;
  error?: ReactNode;
  readOnly?: boolean;
}) {
  return (
    <Radio.Group
      label={props.label}
      description={props.description}
      value={props.value}
      onChange={props.onChange}
      error={props.error}
    >
      <div className={styles.choices}>
        <Stack>
          {props.choices.map((choice) => (
            <Radio
              key={choice.word}
              value={choice.word}
              label={choice.label}
              description={choice.notices}
              disabled={props.readOnly ?? false}
            />
          ))}
        </Stack>
      </div>
    </Radio.Group>
  );
}
