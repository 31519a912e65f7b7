import { expect, test } from "vitest";
import type { Api, EndpointInput, UpdateApi } from "../../api/types";
import { conflict, isSameDesign } from "./design";

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

test("rules for headers and topics of another person are told whole", () => {
  const design = (over: Partial<UpdateApi>): UpdateApi => ({
    description: "x",
    plans: [],
    endpoints: {},
    headers: { forward: "all", set: [{ name: "X-Plan", value: "{plan}" }], backend_jwt: false },
    mappings: [{ topic: "/rooms/{room}", backend: "/chat?room={room}" }],
    ...over,
  });
  const theirs = design({
    headers: {
      forward: "listed",
      allow: ["X-A", "X-B"],
      rename: [{ from: "X-C", to: "C" }],
      backend_jwt: true,
    },
    mappings: [],
  });
  expect(conflict(design({}), theirs)).toEqual([
    { field: "Topic mappings", mine: "/rooms/{room} → /chat?room={room}", theirs: "none" },
    { field: "Headers: forwarded", mine: "All headers", theirs: "Only listed headers" },
    { field: "Headers: allowed", mine: "none", theirs: "X-A, X-B" },
    { field: "Headers: renamed", mine: "none", theirs: "X-C → C" },
    { field: "Headers: set", mine: "X-Plan: {plan}", theirs: "none" },
    { field: "Headers: backend JWT", mine: "off", theirs: "on" },
  ]);
});

test("a conflict tells that a secret was set, never which", () => {
  const credential = { kind: "basic", username: "gateway" } as const;
  const design = (over: EndpointInput): UpdateApi => ({
    description: "x",
    plans: [],
    endpoints: { production: over },
  });
  const tls = { client_certificate: "PEM" };
  const mine = design({
    url: "wss://a",
    credential: { ...credential, password: "hidden" },
    tls: { ...tls, client_key: "hidden" },
  });
  const rows = conflict(mine, design({ url: "wss://a", credential, tls }));
  expect(rows).toEqual([
    { field: "Production endpoint: key of the client certificate", mine: "set anew", theirs: "set" },
    { field: "Production endpoint: secret of the credential", mine: "set anew", theirs: "set" },
  ]);
  expect(conflict(mine, design({ url: "wss://a", credential: { kind: "none" } }))).toEqual([
    { field: "Production endpoint: client certificate", mine: "PEM", theirs: "nothing" },
    { field: "Production endpoint: key of the client certificate", mine: "set anew", theirs: "nothing" },
    { field: "Production endpoint: credential", mine: "User name and password", theirs: "None" },
    { field: "Production endpoint: user or header of the credential", mine: "gateway", theirs: "nothing" },
    { field: "Production endpoint: secret of the credential", mine: "set anew", theirs: "nothing" },
  ]);
});

test("a deployment leaves the design as it was, a change of a secret does not", () => {
  const field = "endpoints.production.credential.secret";
  const secret = { field, live: null, working: "set" };
  const api = (over: Partial<Api>) =>
    ({ etag: "1", description: "x", endpoints: {}, plans: [], differs: [], ...over }) as unknown as Api;
  expect(isSameDesign(api({ differs: [secret] }), api({ etag: "2" }))).toBe(true);
  expect(isSameDesign(api({}), api({ etag: "2", description: "y" }))).toBe(false);
  expect(isSameDesign(api({}), api({ etag: "2", differs: [secret] }))).toBe(false);
});
