// A limit as its form holds it, and back.
import type { Plan, PlanInput } from "../../api/types";

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

export interface LimitRow {
  amount: number | string;
  unit: string;
  per: string;
  counting: string;
  burst: number | string;
  direction: string;
}

export const NEW_LIMIT: LimitRow = {
  amount: 1000,
  unit: "messages",
  per: "minute",
  counting: "calendar",
  burst: "",
  direction: "both",
};

export const limitRow = (limit: Plan["limits"][number]): LimitRow => ({ ...limit, burst: limit.burst ?? "" });

export function limitOf(row: LimitRow): PlanInput["limits"][number] {
  const { amount, unit, per, counting, burst, direction } = row;
  return {
    amount: Number(amount),
    unit,
    per,
    counting,
    // Sessions that begin have no direction.
    direction: unit === "connects" ? "both" : direction,
    ...(counting === "sliding" && { burst: Number(burst) }),
  };
}

/** What is wrong with limits before anything is asked, by field of the form. */
export function limitErrors(at: string, rows: LimitRow[]): Record<string, string> {
  const errors: Record<string, string> = {};
  const atLeastOne = (value: number | string) => value !== "" && Number(value) >= 1;
  for (const [place, limit] of rows.entries()) {
    if (!atLeastOne(limit.amount)) errors[`${at}.${place}.amount`] = "Enter at least 1.";
    if (limit.counting === "sliding" && !atLeastOne(limit.burst))
      errors[`${at}.${place}.burst`] = "Say how many may come at once.";
  }
  return errors;
}

/** Where the problems of REST stand in the form. */
export function limitFields(pointer: string, at: string, count: number): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let place = 0; place < count; place += 1) {
    fields[`${pointer}/${place}`] = `${at}.${place}.amount`;
    for (const leaf of ["amount", "unit", "per", "counting", "burst", "direction"])
      fields[`${pointer}/${place}/${leaf}`] = `${at}.${place}.${leaf}`;
  }
  return fields;
}
