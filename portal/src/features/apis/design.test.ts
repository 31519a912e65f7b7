import { expect, test } from "vitest";
import type { UpdateApi } from "../../api/types";
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

test("settings that another person changed are told in words, protocol and lists among them", () => {
  const design = (over: Partial<UpdateApi>): UpdateApi => ({
    description: "x",
    plans: ["Gold"],
    endpoints: { production: { ...endpoint, others: ["ws://b"], suspension: { after_failures: 0 } } },
    protocol: { compression: "off", utf8_check: true, message_bytes_max: 65_536 },
    ...over,
  });
  const theirs = design({
    endpoints: { production: { ...endpoint, others: [], suspension: { after_failures: 3 } } },
    protocol: { compression: "pass", utf8_check: false, message_bytes_max: 1_048_576 },
  });
  expect(conflict(design({}), theirs)).toEqual([
    { field: "Production endpoint: further addresses", mine: "ws://b", theirs: "none" },
    { field: "Production endpoint: suspended after", mine: "never", theirs: "3 failures" },
    { field: "Protocol: compression", mine: "Off", theirs: "Pass" },
    { field: "Protocol: check of text", mine: "on", theirs: "off" },
    { field: "Protocol: largest message", mine: "64 KiB", theirs: "1 MiB" },
  ]);
});

test("every path that can differ has a name and its values are read by people", () => {
  const told: [string, string, string, string][] = [
    ["url", "ws://b", "address", "ws://b"],
    ["others", "ws://b, ws://c", "further addresses", "ws://b, ws://c"],
    ["balance", "least_connections", "choice of address", "Least connections"],
    ["suspension.after_failures", "1", "suspended after", "1 failure"],
    ["suspension.first_ms", "30000", "first suspension", "30 s"],
    ["suspension.max_ms", "300000", "longest suspension", "5 min"],
    ["connect_timeout_ms", "5000", "connect timeout", "5 s"],
    ["handshake_timeout_ms", "250", "handshake timeout", "250 ms"],
    ["idle_timeout_ms", "900000", "idle timeout", "15 min"],
    ["ping_interval_ms", "0", "ping interval", "never"],
    ["pong_timeout_ms", "10000", "pong timeout", "10 s"],
    ["lifetime_max_ms", "0", "longest life of a session", "never"],
  ];
  for (const [leaf, value, name, read] of told) {
    const path = `endpoints.production.${leaf}`;
    expect([fieldName(path), fieldValue(path, value)]).toEqual([`Production endpoint: ${name}`, read]);
  }
  const protocol: [string, string, string, string][] = [
    ["compression", "terminate", "compression", "Terminate"],
    ["utf8_check", "false", "check of text", "off"],
    ["message_bytes_max", "16777216", "largest message", "16 MiB"],
    ["frame_bytes_max", "1000", "largest frame", "1,000 B"],
  ];
  for (const [leaf, value, name, read] of protocol) {
    const path = `protocol.${leaf}`;
    expect([fieldName(path), fieldValue(path, value)]).toEqual([`Protocol: ${name}`, read]);
  }
  expect(fieldValue("endpoints.sandbox.others", null)).toBe("none");
});

test("paths of REST have names for people", () => {
  expect(fieldName("endpoints.sandbox.url")).toBe("Sandbox endpoint: address");
  expect(fieldName("plans")).toBe("Business plans");
  expect(fieldValue("endpoints.production.url", null)).toBe("nothing");
});
