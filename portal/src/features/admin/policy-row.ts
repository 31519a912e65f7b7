// A plan or policy as its form holds it, and back.
import type { Plan, PlanInput } from "../../api/types";
import type { Choice } from "../../ui/choice-field";
import { type GroupRow, groupErrors, groupFields, groupOf, groupRow } from "./group-row";
import { type LimitRow, limitErrors, limitFields, limitOf, limitRow, NEW_LIMIT } from "./limit-row";

export const EXCESSES: Choice[] = [
  { word: "close", label: "Close the session", notices: "Code 4429, with the plan and the seconds to wait." },
  {
    word: "delay",
    label: "Delay the message",
    notices:
      "The sender is not read until there is more, and nothing is lost. What would wait for more than a minute closes the session.",
  },
  { word: "drop", label: "Drop the message", notices: "It is read and discarded, and the session goes on." },
  {
    word: "notify",
    label: "Drop it and tell the client",
    notices:
      "As drop; the client is told in the notice that its API declares, once a second at most. Without one it is only dropped.",
  },
  {
    word: "count",
    label: "Let it pass",
    notices: "Nothing is refused: what is beyond is counted, and shown as over the limit.",
  },
];

export interface PolicyRow {
  name: string;
  description: string;
  limits: LimitRow[];
  on_excess: string;
  /** Empty: as the API and its endpoint say. */
  sessions_max: number | string;
  sessions_per_user_max: number | string;
  sessions_per_address_max: number | string;
  message_bytes_max: number | string;
  idle_timeout_ms: number | string;
  lifetime_max_ms: number | string;
  /** Of a business plan: who may choose it; nobody named is everybody. */
  roles: string[];
  /** Of a business plan: what it costs; empty prices cost nothing. */
  commercial: boolean;
  billing: { currency: string; per: string; price: string; price_per_1000_messages: string };
  /** Of an API policy. */
  groups: GroupRow[];
}

export const CYCLES = ["month", "week", "year"].map((value) => ({ value, label: `per ${value}` }));
const NO_BILLING = { currency: "EUR", per: "month", price: "", price_per_1000_messages: "" };

/** What holds for sessions beside what passes, in the order of the form. */
export const BOUNDS = [
  {
    leaf: "sessions_max",
    label: "Sessions at once",
    notices: "One more is refused with 429 until another has ended. Empty: any number.",
  },
  {
    leaf: "sessions_per_user_max",
    label: "Sessions of one user at once",
    notices:
      "Whom the token speaks for; else the application, and without a credential the address. Empty: any number.",
  },
  {
    leaf: "sessions_per_address_max",
    label: "Sessions from one address at once",
    notices: "Of IPv6, one /64 network. Empty: any number.",
  },
  {
    leaf: "message_bytes_max",
    label: "Largest message (bytes)",
    notices: "A larger one closes the session with 1009. Empty: as the API says, and never more.",
  },
  {
    leaf: "idle_timeout_ms",
    label: "Idle time (ms)",
    notices: "Without a message for so long, a session ends. Empty: as the endpoint says, and never more.",
  },
  {
    leaf: "lifetime_max_ms",
    label: "Lifetime (ms)",
    notices: "A session ends after so long in any case. Empty: as the endpoint says, and never more.",
  },
] as const;

export const NEW_POLICY: PolicyRow = {
  name: "",
  description: "",
  limits: [NEW_LIMIT],
  on_excess: "close",
  sessions_max: "",
  sessions_per_user_max: "",
  sessions_per_address_max: "",
  message_bytes_max: "",
  idle_timeout_ms: "",
  lifetime_max_ms: "",
  roles: [],
  commercial: false,
  billing: NO_BILLING,
  groups: [],
};

export function policyRow(plan: Plan): PolicyRow {
  const { name, description, on_excess } = plan;
  const limits = plan.limits.map(limitRow);
  return {
    name,
    description,
    on_excess,
    limits,
    sessions_max: plan.sessions_max ?? "",
    sessions_per_user_max: plan.sessions_per_user_max ?? "",
    sessions_per_address_max: plan.sessions_per_address_max ?? "",
    message_bytes_max: plan.message_bytes_max ?? "",
    idle_timeout_ms: plan.idle_timeout_ms ?? "",
    lifetime_max_ms: plan.lifetime_max_ms ?? "",
    roles: plan.roles,
    commercial: plan.billing !== null,
    billing: plan.billing
      ? {
          currency: plan.billing.currency,
          per: plan.billing.per ?? NO_BILLING.per,
          price: plan.billing.price ?? "",
          price_per_1000_messages: plan.billing.price_per_1000_messages ?? "",
        }
      : NO_BILLING,
    groups: plan.groups.map(groupRow),
  };
}

export function policyOf(row: PolicyRow): PlanInput {
  const limits = row.limits.map(limitOf);
  const groups = row.groups.map(groupOf);
  const told = BOUNDS.filter(({ leaf }) => row[leaf] !== "").map(({ leaf }) => [leaf, Number(row[leaf])]);
  const { name, description, on_excess, roles } = row;
  return {
    name: name.trim(),
    description,
    on_excess,
    limits,
    groups,
    ...(roles.length > 0 && { roles }),
    ...(row.commercial && { billing: billingOf(row.billing) }),
    ...Object.fromEntries(told),
  };
}

function billingOf({ currency, per, price, price_per_1000_messages }: PolicyRow["billing"]) {
  const prices = { price: price.trim(), price_per_1000_messages: price_per_1000_messages.trim() };
  const told = Object.entries(prices).filter(([, text]) => text !== "");
  return { currency: currency.trim().toUpperCase(), per, ...Object.fromEntries(told) };
}

/** What is wrong before anything is asked, by field of the form. */
export function policyErrors(row: PolicyRow): Record<string, string> {
  const errors = limitErrors("limits", row.limits);
  if (row.name.trim() === "") errors.name = "Enter a name.";
  for (const [place, group] of row.groups.entries())
    Object.assign(errors, groupErrors(`groups.${place}`, group));
  return errors;
}

/** Where the problems of REST stand in the form. */
export function policyFields(row: PolicyRow): Record<string, string> {
  const fields: Record<string, string> = {
    "/name": "name",
    "/description": "description",
    "/on_excess": "on_excess",
    "/limits": "limits",
    "/roles": "roles",
    "/groups": "groups",
    ...limitFields("/limits", "limits", row.limits.length),
  };
  for (const leaf of ["currency", "per", "price", "price_per_1000_messages"])
    fields[`/billing/${leaf}`] = `billing.${leaf}`;
  for (const { leaf } of BOUNDS) fields[`/${leaf}`] = leaf;
  for (const [place, group] of row.groups.entries())
    Object.assign(fields, groupFields(`/groups/${place}`, `groups.${place}`, group));
  return fields;
}
