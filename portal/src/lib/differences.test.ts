import { expect, test } from "vitest";
import { differences } from "./differences";

test("only what differs is told, by its whole name", () => {
  const before = { name: "Shop", design: { plans: ["Gold"], url: "ws://a" }, etag: 1 };
  const after = { name: "Shop", design: { plans: ["Gold", "Silver"], url: "ws://a" }, etag: 2 };
  expect(differences(before, after)).toEqual([
    { field: "design.plans", before: '["Gold"]', after: '["Gold","Silver"]' },
    { field: "etag", before: "1", after: "2" },
  ]);
});

test("what is new or gone is told whole", () => {
  expect(differences(null, { name: "Shop", empty: {} })).toEqual([
    { field: "name", before: "", after: "Shop" },
    { field: "empty", before: "", after: "{}" },
  ]);
  expect(differences({ name: "Shop" }, null)).toEqual([{ field: "name", before: "Shop", after: "" }]);
  expect(differences(null, null)).toEqual([]);
});
