import { expect, test } from "vitest";
import { conflict, fieldName, fieldValue } from "./design";

const endpoint = {
  url: "ws://a",
  connect_timeout_ms: 5000,
  handshake_timeout_ms: 10000,
  idle_timeout_ms: 900000,
};

test("two designs are compared field by field, in words", () => {
  const mine = { description: "x", endpoints: { production: endpoint }, plans: ["Silver", "Gold"] };
  const theirs = {
    description: "x",
    endpoints: { production: { ...endpoint, idle_timeout_ms: 60000 } },
    plans: ["Gold", "Silver"],
  };
  expect(conflict(mine, theirs)).toEqual([
    { field: "Production endpoint: idle timeout", mine: "15 min", theirs: "1 min" },
  ]);
});

test("paths of REST have names for people", () => {
  expect(fieldName("endpoints.sandbox.url")).toBe("Sandbox endpoint: address");
  expect(fieldName("plans")).toBe("Business plans");
  expect(fieldValue("endpoints.production.url", null)).toBe("nothing");
});
