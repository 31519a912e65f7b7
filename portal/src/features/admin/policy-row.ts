// A plan or policy as its form holds it, and back.
import type { Plan, PlanInput } from "../../api/types";
import type { Choice } from "../../ui/choice-field";

export const LIMITS_MAX = 8;

export const UNITS = [
  { value: "messages", label: "Messages" },
  { value: "bytes", label: "Bytes of messages" },
  { value: "connects", label: "New sessions" },
];
export const WINDOWS = ["second", "minute", "hour", "day", "month"].map((value) => ({
  value,
  label: `per ${value}`,
}));
export const COUNTINGS = [
  { value: "calendar", label: "By the calendar" },
  { value: "sliding", label: "Sliding" },
];
export const DIRECTIONS = [
  { value: "both", label: "Both directions together" },
  { value: "publish", label: "From clients" },
  { value: "subscribe", label: "From backends" },
];
export const EXCESSES: Choice[] = [
  { word: "close", label: "Close the session", notices: "Code 4429, with the plan and the seconds to wait." },
  {
    word: "delay",
    label: "Delay the message",
    notices:
      "The sender is not read until there is more, and nothing is lost. What would wait for more than a minute closes the session.",
  },
  { word: "drop", label: "Drop the message", notices: "It is read and discarded, and the session goes on." },
];

export interface LimitRow {
  amount: number | string;
  unit: string;
  per: string;
  counting: string;
  burst: number | string;
  direction: string;
}

export interface PolicyRow {
  name: string;
  description: string;
  limits: LimitRow[];
  on_excess: string;
}

export const NEW_LIMIT: LimitRow = {
  amount: 1000,
  unit: "messages",
  per: "minute",
  counting: "calendar",
  burst: "",
  direction: "both",
};

export const NEW_POLICY: PolicyRow = { name: "", description: "", limits: [NEW_LIMIT], on_excess: "close" };

export function policyRow(plan: Plan): PolicyRow {
  const { name, description, on_excess } = plan;
  const limits = plan.limits.map((limit) => ({ ...limit, burst: limit.burst ?? "" }));
  return { name, description, on_excess, limits };
}

export function policyOf(row: PolicyRow): PlanInput {
  const limits = row.limits.map(({ amount, unit, per, counting, burst, direction }) => ({
    amount: Number(amount),
    unit,
    per,
    counting,
    // Sessions that begin have no direction.
    direction: unit === "connects" ? "both" : direction,
    ...(counting === "sliding" && { burst: Number(burst) }),
  }));
  return { ...row, name: row.name.trim(), limits };
}

/** What is wrong before anything is asked, by field of the form. */
export function policyErrors(row: PolicyRow): Record<string, string> {
  const errors: Record<string, string> = {};
  const atLeastOne = (value: number | string) => value !== "" && Number(value) >= 1;
  if (row.name.trim() === "") errors.name = "Enter a name.";
  for (const [place, limit] of row.limits.entries()) {
    if (!atLeastOne(limit.amount)) errors[`limits.${place}.amount`] = "Enter at least 1.";
    if (limit.counting === "sliding" && !atLeastOne(limit.burst))
      errors[`limits.${place}.burst`] = "Say how many may come at once.";
  }
  return errors;
}

/** Where the problems of REST stand in the form. */
export function policyFields(row: PolicyRow): Record<string, string> {
  const fields: Record<string, string> = {
    "/name": "name",
    "/description": "description",
    "/on_excess": "on_excess",
    "/limits": "limits",
  };
  for (const place of row.limits.keys()) {
    fields[`/limits/${place}`] = `limits.${place}.amount`;
    for (const leaf of ["amount", "unit", "per", "counting", "burst", "direction"])
      fields[`/limits/${place}/${leaf}`] = `limits.${place}.${leaf}`;
  }
  return fields;
}
