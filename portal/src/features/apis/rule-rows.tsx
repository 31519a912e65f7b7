// Rules of one kind, a row each: their words side by side, to add, to take away and, where their order decides, to move.
import { ActionIcon, Button, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { counted } from "../../lib/format";
import { Notice } from "../../ui/notice";
import { Dim, FieldGroup, Row } from "../../ui/page";
import styles from "../../ui/ui.module.css";

export interface Column {
  leaf: string;
  label: string;
  placeholder: string;
}

export interface RuleChange {
  set: (place: number, leaf: string, value: string) => void;
  add: () => void;
  remove: (place: number) => void;
  move?: (from: number, to: number) => void;
}

export function RuleRows(props: {
  /** The name of the group; without one they are all that a card holds. */
  title?: string;
  about: string;
  /** One of them, in a sentence: `allowed header`. */
  noun: string;
  /** The button that makes one. */
  adds: string;
  columns: Column[];
  rows: Record<string, string>[];
  max: number;
  /** The list's name in the form. */
  path: string;
  errors: Record<string, ReactNode>;
  readOnly: boolean;
  change: RuleChange;
  /** Beneath the fields of a row. */
  beneath?: (place: number) => ReactNode;
}) {
  const { rows, columns, noun, path, readOnly, change } = props;
  const { move } = change;
  const fields = (
    <>
      {rows.map((row, place) => (
        <div key={place}>
          <div className={styles.ruleRow}>
            {columns.map(({ leaf, label, placeholder }) => (
              <TextInput
                key={leaf}
                label={label}
                aria-label={`${label} of ${noun} ${place + 1}`}
                placeholder={placeholder}
                value={row[leaf] ?? ""}
                onChange={(event) => change.set(place, leaf, event.currentTarget.value)}
                error={props.errors[`${path}.${place}.${leaf}`]}
                readOnly={readOnly}
                spellCheck={false}
                autoComplete="off"
                data-path={`${path}.${place}.${leaf}`}
              />
            ))}
            {!readOnly && (
              <div className={styles.ruleActions}>
                {move && (
                  <>
                    <ActionIcon
                      variant="default"
                      size="lg"
                      aria-label={`Move ${noun} ${place + 1} up`}
                      disabled={place === 0}
                      onClick={() => move(place, place - 1)}
                    >
                      <span aria-hidden="true">↑</span>
                    </ActionIcon>
                    <ActionIcon
                      variant="default"
                      size="lg"
                      aria-label={`Move ${noun} ${place + 1} down`}
                      disabled={place === rows.length - 1}
                      onClick={() => move(place, place + 1)}
                    >
                      <span aria-hidden="true">↓</span>
                    </ActionIcon>
                  </>
                )}
                <Button
                  variant="default"
                  aria-label={`Remove ${noun} ${place + 1}`}
                  onClick={() => change.remove(place)}
                >
                  Remove
                </Button>
              </div>
            )}
          </div>
          {props.beneath && <div className={styles.below}>{props.beneath(place)}</div>}
        </div>
      ))}
      {props.errors[path] && (
        <Notice tone="bad" live>
          {props.errors[path]}
        </Notice>
      )}
      <Row>
        {!readOnly && (
          <Button variant="default" size="xs" disabled={rows.length >= props.max} onClick={change.add}>
            {props.adds}
          </Button>
        )}
        <Dim>
          {rows.length === 0 ? `No ${noun}` : counted(rows.length, noun)}; at most {props.max}
        </Dim>
      </Row>
    </>
  );
  if (props.title) {
    return (
      <FieldGroup title={props.title} about={props.about}>
        {fields}
      </FieldGroup>
    );
  }
  return (
    <>
      <Dim>{props.about}</Dim>
      {fields}
    </>
  );
}
