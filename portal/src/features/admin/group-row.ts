// A group of an API policy as its form holds it, and back.
import type { Plan, PlanInput } from "../../api/types";
import { type LimitRow, limitErrors, limitFields, limitOf, limitRow, NEW_LIMIT } from "./limit-row";

type Group = Plan["groups"][number];
type GroupInput = NonNullable<PlanInput["groups"]>[number];

export const GROUPS_MAX = 16;
export const CONDITIONS_MAX = 8;

export const KINDS = [
  { value: "address", label: "Client's address" },
  { value: "header", label: "Header" },
  { value: "query", label: "Query parameter" },
  { value: "claim", label: "Claim of the token" },
];
export const SENSES = [
  { value: "is", label: "is one of" },
  { value: "not", label: "is none of" },
];

export interface ConditionRow {
  kind: string;
  name: string;
  sense: string;
  /** One value a line. */
  values: string;
}

export interface GroupRow {
  name: string;
  description: string;
  conditions: ConditionRow[];
  limits: LimitRow[];
}

export const NEW_CONDITION: ConditionRow = { kind: "address", name: "", sense: "is", values: "" };
export const NEW_GROUP: GroupRow = {
  name: "",
  description: "",
  conditions: [NEW_CONDITION],
  limits: [NEW_LIMIT],
};

/** What is asked of the values, by what is looked at. */
export const valuesHint = (kind: string): string =>
  kind === "address"
    ? "One a line: addresses, and ranges like 10.0.0.0/8"
    : "One a line; * stands for any characters";

export function groupRow(group: Group): GroupRow {
  const conditions = group.conditions.map(({ kind, name, any_of, not }) => ({
    kind,
    name: name ?? "",
    sense: not ? "not" : "is",
    values: any_of.join("\n"),
  }));
  const { name, description } = group;
  return { name, description, conditions, limits: group.limits.map(limitRow) };
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line.trim() !== "");

export function groupOf(row: GroupRow): GroupInput {
  const conditions = row.conditions.map(({ kind, name, sense, values }) => ({
    kind,
    // An address has no name.
    ...(kind !== "address" && { name: name.trim() }),
    any_of: kind === "address" ? lines(values).map((line) => line.trim()) : lines(values),
    not: sense === "not",
  }));
  const { name, description } = row;
  return { name: name.trim(), description, conditions, limits: row.limits.map(limitOf) };
}

/** What is wrong before anything is asked, by field of the form. */
export function groupErrors(at: string, row: GroupRow): Record<string, string> {
  const errors = limitErrors(`${at}.limits`, row.limits);
  if (row.name.trim() === "") errors[`${at}.name`] = "Enter a name.";
  for (const [place, condition] of row.conditions.entries()) {
    const of = `${at}.conditions.${place}`;
    if (condition.kind !== "address" && condition.name.trim() === "") errors[`${of}.name`] = "Enter a name.";
    if (lines(condition.values).length === 0) errors[`${of}.values`] = "Enter a value.";
  }
  return errors;
}

/** Where the problems of REST stand in the form. */
export function groupFields(pointer: string, at: string, row: GroupRow): Record<string, string> {
  const fields = limitFields(`${pointer}/limits`, `${at}.limits`, row.limits.length);
  for (const leaf of ["name", "description", "conditions", "limits"])
    fields[`${pointer}/${leaf}`] = `${at}.${leaf}`;
  for (const place of row.conditions.keys()) {
    const [from, to] = [`${pointer}/conditions/${place}`, `${at}.conditions.${place}`];
    for (const leaf of ["kind", "name"]) fields[`${from}/${leaf}`] = `${to}.${leaf}`;
    fields[`${from}/any_of`] = `${to}.values`;
  }
  return fields;
}
