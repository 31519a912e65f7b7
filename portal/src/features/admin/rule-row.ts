// A custom rule as its form holds it, and back; and the sample that its expression is tried against.
import type { CustomRule, CustomRuleInput, CustomRuleSample, CustomRuleTested } from "../../api/generated";
import { NEW_POLICY, type PolicyRow, policyErrors, policyFields, policyOf } from "./policy-row";

export interface RuleRow extends PolicyRow {
  expression: string;
  enabled: boolean;
}

export const NEW_RULE: RuleRow = { ...NEW_POLICY, expression: "", enabled: true };

/** What an expression can name, in the order of the guide. */
export const RULE_FACTS: [string, string][] = [
  ["user", "Whom the token speaks for; empty where it speaks for nobody but the application"],
  ["application.id, application.name", "The application"],
  ["api.name, api.version, api.context", "The API"],
  ["topic", "What follows the API's path, such as /rooms/7; or empty"],
  ["address", "The client's address"],
  ["claims.tenant, claims['realm.role']", "A claim of the token, by its name"],
  ["direction", "publish (the client sends) or subscribe (the backend): one key for each"],
  ["size", "Bytes of the message's first frame: the expression is asked for each message"],
];

/** Expressions to begin with, each with what it does. */
export const RULE_EXAMPLES: { expression: string; about: string }[] = [
  { expression: "user", about: "Each person, over all applications and APIs" },
  { expression: "address", about: "Each address" },
  {
    expression: "has(claims.tenant) ? claims.tenant : null",
    about: "Each tenant, by a claim; nobody without it",
  },
  {
    expression: "topic.startsWith('/rooms/') ? api.context + topic : null",
    about: "Each room of each API",
  },
  { expression: "size > 65536 ? user : null", about: "Large messages of each person" },
  {
    expression: "{'key': user, 'amount': 'gold' in claims.tiers ? 1000 : 100}",
    about: "Each person, with an amount by a claim",
  },
];

export function ruleRow(rule: CustomRule): RuleRow {
  const { name, description, on_excess, expression, enabled } = rule;
  const limits = rule.limits.map((limit) => ({ ...limit, burst: limit.burst ?? "" }));
  return { ...NEW_POLICY, name, description, on_excess, limits, expression, enabled };
}

export function ruleOf(row: RuleRow): CustomRuleInput {
  const { name, description, on_excess, limits } = policyOf(row);
  const { expression, enabled } = row;
  return { name, description, on_excess, limits, expression, enabled };
}

/** A rule as it is, but switched on or off. */
export function switched(rule: CustomRule): CustomRuleInput {
  return { ...ruleOf(ruleRow(rule)), enabled: !rule.enabled };
}

/** What is wrong before anything is asked, by field of the form. */
export function ruleErrors(row: RuleRow): Record<string, string> {
  const errors = policyErrors(row);
  if (row.expression.trim() === "") errors.expression = "Enter an expression, for example: user";
  if (row.limits.length === 0) errors.limits = "A rule without a limit limits nothing. Add one.";
  return errors;
}

/** Where the problems of REST stand in the form. */
export function ruleFields(row: RuleRow): Record<string, string> {
  return { ...policyFields(row), "/expression": "expression" };
}

/** How often an expression is asked, in words. */
export const ASKED: Record<string, string> = {
  session: "Once for each session",
  direction: "For each direction of a session",
  message: "For each message",
};

/** A sample as it is typed. */
export interface SampleRow {
  user: string;
  application: string;
  api: string;
  version: string;
  context: string;
  topic: string;
  address: string;
  claims: string;
  size: number | string;
  direction: string;
}

export const SAMPLE: SampleRow = {
  user: "ada",
  application: "Shop",
  api: "EchoWebSocket",
  version: "1.0",
  context: "/echowebsocket",
  topic: "/rooms/7",
  address: "203.0.113.7",
  claims: '{"tenant": "acme", "tiers": ["gold"]}',
  size: 100000,
  direction: "publish",
};

/** The claims that were typed; `null` where they are no JSON object. */
export function claimsOf(text: string): Record<string, unknown> | null {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

export function sampleOf(row: SampleRow): CustomRuleSample {
  const { user, topic, address, direction } = row;
  return {
    user,
    application: { id: "00000000-0000-7000-8000-000000000000", name: row.application },
    api: { name: row.api, version: row.version, context: row.context },
    topic,
    ...(address.trim() !== "" && { address }),
    claims: claimsOf(row.claims) ?? {},
    size: Number(row.size),
    direction,
  };
}

/** What came of a trial, in a tone. */
export function outcome(tested: CustomRuleTested): {
  tone: "good" | "calm" | "warn";
  title: string;
  about: string;
} {
  if (tested.error)
    return { tone: "warn", title: "The rule would not apply", about: `It fails: ${tested.error}.` };
  if (tested.key === null)
    return { tone: "calm", title: "The rule does not apply", about: "The expression yields no key." };
  const amount = tested.amount === null ? "" : ` The amount is ${tested.amount.toLocaleString("en")}.`;
  return {
    tone: "good",
    title: `Key: ${tested.key}`,
    about: `Whoever has the same key shares a budget.${amount}`,
  };
}
