import { expect, test } from "vitest";
import type { CustomRule, CustomRuleTested } from "../../api/generated";
import {
  claimsOf,
  NEW_RULE,
  outcome,
  ruleErrors,
  ruleOf,
  ruleRow,
  SAMPLE,
  sampleOf,
  switched,
} from "./rule-row";

const RULE: CustomRule = {
  id: "1",
  name: "Large",
  description: "What is large.",
  expression: "size > 65536 ? user : null",
  limits: [
    { amount: 60, unit: "messages", per: "minute", counting: "sliding", burst: 5, direction: "publish" },
  ],
  on_excess: "drop",
  enabled: true,
  asked_for_each: "message",
  created_at: "2026-11-26T08:00:00Z",
  created_by: "admin",
  etag: 3,
};

test("a rule comes out of its form as it went in, and is switched without another change", () => {
  const { name, description, expression, limits, on_excess } = RULE;
  const told = { name, description, expression, limits, on_excess };
  expect(ruleOf(ruleRow(RULE))).toEqual({ ...told, enabled: true });
  expect(switched(RULE)).toEqual({ ...told, enabled: false });
});

test("a rule without name, expression or limit is told so before it is asked for", () => {
  expect(Object.keys(ruleErrors({ ...NEW_RULE, limits: [] }))).toEqual(["name", "expression", "limits"]);
  expect(ruleErrors(ruleRow(RULE))).toEqual({});
});

test("claims are a JSON object or nothing", () => {
  expect(claimsOf(" ")).toEqual({});
  expect(claimsOf('{"a": [1]}')).toEqual({ a: [1] });
  for (const wrong of ["[1]", "null", "{a}", "7"]) expect(claimsOf(wrong)).toBeNull();
  expect(sampleOf({ ...SAMPLE, address: " " })).not.toHaveProperty("address");
});

test("what came of a trial is said in words", () => {
  const tested: CustomRuleTested = {
    key: "acme",
    amount: 1000,
    error: null,
    asked_for_each: "session",
    claims: [],
  };
  expect(outcome(tested)).toMatchObject({ tone: "good", title: "Key: acme" });
  expect(outcome(tested).about).toContain("The amount is 1,000.");
  expect(outcome({ ...tested, key: null, amount: null }).title).toBe("The rule does not apply");
  const failed = outcome({ ...tested, key: null, error: "there is no “tenant”" });
  expect([failed.tone, failed.about]).toEqual(["warn", "It fails: there is no “tenant”."]);
});
