import { expect, test } from "vitest";
import { isSame, limitRow, limitsOf } from "./limits-row";

const topic = (path: string, api_policy: string | null) => ({
  path,
  description: "",
  direction: "both",
  open: false,
  publish_scopes: [],
  subscribe_scopes: [],
  api_policy,
});
const api = {
  plans: ["Gold", "Bronze"],
  api_policy: "10KPerMin",
  topics: { declared: [topic("/news", null), topic("/rooms/{room}", "20KPerMin")], misdirected: "close" },
};

test("what limits an API comes out of its form as it went in", () => {
  expect(limitsOf(limitRow(api), api)).toEqual(api);
});

test("a policy is taken back by choosing none, and topics of somebody else stay", () => {
  const row = { plans: [], api: "", topics: { "/news": "Unlimited" } };
  const declared = [topic("/news", "Unlimited"), topic("/rooms/{room}", null)];
  expect(limitsOf(row, api)).toEqual({
    plans: [],
    api_policy: null,
    topics: { declared, misdirected: "close" },
  });
});

test("in which order plans were chosen is no change", () => {
  const row = limitRow(api);
  expect(isSame(row, { ...row, plans: ["Bronze", "Gold"] })).toBe(true);
  expect(isSame(row, { ...row, plans: ["Gold"] })).toBe(false);
  expect(isSame(row, { ...row, topics: { ...row.topics, "/news": "Unlimited" } })).toBe(false);
});
