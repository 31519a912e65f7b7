import { expect, test } from "vitest";
import { fieldErrors, Problem } from "../../api/problem";
import type { Plan } from "../../api/types";
import { NEW_CONDITION, NEW_GROUP } from "./group-row";
import { NEW_LIMIT } from "./limit-row";
import { NEW_POLICY, policyErrors, policyFields, policyOf, policyRow } from "./policy-row";

const STREAM: Plan = {
  name: "Stream",
  display_name: "Stream",
  description: "For streams.",
  limits: [
    { amount: 9000, unit: "messages", per: "month", counting: "calendar", burst: null, direction: "both" },
    { amount: 65536, unit: "bytes", per: "second", counting: "sliding", burst: 4096, direction: "publish" },
  ],
  on_excess: "delay",
  sessions_max: 3,
  sessions_per_user_max: 2,
  sessions_per_address_max: null,
  message_bytes_max: null,
  idle_timeout_ms: 60000,
  lifetime_max_ms: null,
  roles: [],
  billing: null,
  groups: [
    {
      name: "Partners",
      description: "By contract.",
      conditions: [
        { kind: "address", any_of: ["10.0.0.0/8", "192.0.2.7"], not: false },
        { kind: "claim", name: "groups", any_of: ["a, b", "c*"], not: true },
      ],
      limits: [
        { amount: 5, unit: "messages", per: "day", counting: "calendar", burst: null, direction: "both" },
      ],
    },
  ],
  unlimited: false,
  etag: 3,
};

test("a plan comes out of its form as it went in", () => {
  const { name, description, on_excess } = STREAM;
  expect(policyOf(policyRow(STREAM))).toEqual({
    name,
    description,
    on_excess,
    sessions_max: 3,
    sessions_per_user_max: 2,
    idle_timeout_ms: 60000,
    limits: [
      { amount: 9000, unit: "messages", per: "month", counting: "calendar", direction: "both" },
      { amount: 65536, unit: "bytes", per: "second", counting: "sliding", burst: 4096, direction: "publish" },
    ],
    groups: [
      {
        ...STREAM.groups[0],
        limits: [{ amount: 5, unit: "messages", per: "day", counting: "calendar", direction: "both" }],
      },
    ],
  });
});

test("the terms of a plan come out as they went in, and of a free one nothing is told", () => {
  const billing = { currency: "EUR", per: "year", price: "49.00", price_per_1000_messages: null };
  const sent = policyOf(policyRow({ ...STREAM, roles: ["partner"], billing }));
  expect(sent.roles).toEqual(["partner"]);
  expect(sent.billing).toEqual({ currency: "EUR", per: "year", price: "49.00" });
  const row = policyRow({ ...STREAM, billing });
  expect(policyOf({ ...row, commercial: false }).billing).toBeUndefined();
});

test("what a choice makes meaningless is not sent", () => {
  const limit = { ...NEW_LIMIT, unit: "connects", direction: "publish", burst: 5 };
  const [sent] = policyOf({ ...NEW_POLICY, limits: [limit] }).limits;
  expect(sent).toEqual({
    amount: 1000,
    unit: "connects",
    per: "minute",
    counting: "calendar",
    direction: "both",
  });
});

test("values are lines, and an address has no name", () => {
  const conditions = [
    { ...NEW_CONDITION, name: "left over", values: " 10.0.0.1 \n\n::1" },
    { ...NEW_CONDITION, kind: "header", name: " X-Tier ", sense: "not", values: "a b\n*" },
  ];
  const [sent] =
    policyOf({ ...NEW_POLICY, groups: [{ ...NEW_GROUP, name: " One ", conditions }] }).groups ?? [];
  expect(sent?.name).toBe("One");
  expect(sent?.conditions).toEqual([
    { kind: "address", any_of: ["10.0.0.1", "::1"], not: false },
    { kind: "header", name: "X-Tier", any_of: ["a b", "*"], not: true },
  ]);
});

test("what is missing of a group is said before anything is asked", () => {
  const header = { ...NEW_CONDITION, kind: "header", values: "a" };
  const group = { ...NEW_GROUP, conditions: [NEW_CONDITION, header], limits: [{ ...NEW_LIMIT, amount: 0 }] };
  expect(Object.keys(policyErrors({ ...NEW_POLICY, name: "New", groups: [group] })).sort()).toEqual([
    "groups.0.conditions.0.values",
    "groups.0.conditions.1.name",
    "groups.0.limits.0.amount",
    "groups.0.name",
  ]);
});

test("what is missing is said before anything is asked", () => {
  const sliding = { ...NEW_LIMIT, counting: "sliding" };
  const row = {
    ...NEW_POLICY,
    name: " ",
    limits: [NEW_LIMIT, { ...sliding, amount: 0 }, { ...NEW_LIMIT, amount: "" }],
  };
  expect(Object.keys(policyErrors(row)).sort()).toEqual([
    "limits.1.amount",
    "limits.1.burst",
    "limits.2.amount",
    "name",
  ]);
  expect(policyErrors({ ...NEW_POLICY, name: "New", limits: [{ ...sliding, burst: 2 }] })).toEqual({});
});

test("problems of REST stand beside their fields", () => {
  const errors = [
    { pointer: "/limits/1/per", code: "unknown_word", detail: "Choose one." },
    { pointer: "/limits/0", code: "repeated", detail: "It stands twice." },
    { pointer: "/groups/0/conditions/0/any_of/2", code: "required", detail: "Enter a value." },
    { pointer: "/groups/0/limits/0/per", code: "unknown_word", detail: "Choose one." },
    { pointer: "/groups/0/conditions", code: "required", detail: "Enter a condition." },
  ];
  const problem = new Problem({ errors }, undefined);
  const row = { ...NEW_POLICY, limits: [NEW_LIMIT, NEW_LIMIT], groups: [NEW_GROUP] };
  expect(fieldErrors(problem, policyFields(row)).fields).toEqual({
    "limits.1.per": "Choose one.",
    "limits.0.amount": "It stands twice.",
    "groups.0.conditions.0.values": "Enter a value.",
    "groups.0.limits.0.per": "Choose one.",
    "groups.0.conditions": "Enter a condition.",
  });
});
