import { expect, test } from "vitest";
import type { Api } from "../../api/types";
import { checkValue, passingErrors, passingFields, passingOf, rowsOf } from "./passing-row";

const bounds = { header_rules_max: 32, mappings_max: 64, placeholders: ["plan", "topic"] };
const api = {
  headers: {
    forward: "listed",
    allow: ["Cookie"],
    deny: ["X-Old", "X-Older"],
    rename: [{ from: "X-Device", to: "Device-Id" }],
    set: [{ name: "X-Plan", value: "plan={plan}" }],
    backend_jwt: true,
  },
  mappings: [{ topic: "/rooms/{room}", backend: "/chat?room={room}" }],
} as unknown as Api;

test("rules come out of the form as they went in", () => {
  const { headers, mappings } = api;
  expect(passingOf(rowsOf(api), api)).toEqual({ headers, mappings });
  expect(passingErrors(rowsOf(api), bounds)).toEqual({});
});

test("what is wrong is told under the field's name", () => {
  const rows = {
    ...rowsOf(api),
    deny: [{ name: "X-Old" }, { name: "x-old" }],
    rename: [{ from: "", to: "De vice" }],
    set: [{ name: "X-Plan", value: "{plans}" }],
    mappings: [
      { topic: "/a/{x}", backend: "/b" },
      { topic: "/a/{x}", backend: "/{y}" },
    ],
  };
  expect(passingErrors(rows, bounds)).toEqual({
    "deny.1.name": "This header stands here already.",
    "rename.0.from": "Enter the name of a header.",
    "rename.0.to": "A header's name has letters, digits and hyphens.",
    "set.0.value": "There is no {plans}.",
    "mappings.1.topic": "This topic is mapped already.",
    "mappings.1.backend": "The topic has no parameter {y}.",
  });
  expect(checkValue("a {plan} b {topic}", bounds.placeholders)).toBeNull();
  expect(checkValue("{plan", bounds.placeholders)).toMatch(/needs its/);
});

test("a problem of REST finds its field", () => {
  const fields = passingFields(rowsOf(api));
  expect(fields["/headers/deny/1"]).toBe("deny.1.name");
  expect(fields["/headers/set/0/value"]).toBe("set.0.value");
  expect(fields["/headers/set"]).toBe("set");
  expect(fields["/mappings/0/topic"]).toBe("mappings.0.topic");
});
