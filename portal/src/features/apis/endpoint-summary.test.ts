import { expect, test } from "vitest";
import type { EndpointRow } from "./endpoint-row";
import {
  saysAddresses,
  saysCredential,
  saysHealth,
  saysKeepAlive,
  saysSuspension,
  saysTimeouts,
  saysTls,
} from "./endpoint-summary";
import { credentialRowOf, tlsRowOf } from "./secret-row";

const row: EndpointRow = {
  url: "wss://a",
  others: [],
  balance: "round_robin",
  sticky_header: "X-Device",
  tls: tlsRowOf(undefined),
  credential: credentialRowOf(undefined),
  connect_timeout_ms: 5_000,
  tls_timeout_ms: 2_500,
  handshake_timeout_ms: 10_000,
  idle_timeout_ms: 900_000,
  ping_interval_ms: 0,
  pong_timeout_ms: 10_000,
  lifetime_max_ms: 0,
  suspension_after_failures: 0,
  suspension_first_ms: 30_000,
  suspension_max_ms: 300_000,
  health_interval_ms: 0,
  health_timeout_ms: 5_000,
  health_unhealthy_after: 2,
  health_healthy_after: 1,
};

test("each group says in a line what its fields say", () => {
  expect(saysTimeouts(row)).toBe("Connect 5 s, TLS 2.5 s, handshake 10 s, idle 15 min");
  expect(saysKeepAlive(row)).toBe("No Pings; sessions live as long as they like");
  expect(saysKeepAlive({ ...row, ping_interval_ms: 30_000, lifetime_max_ms: 60_000 })).toBe(
    "A Ping after 30 s of silence; sessions live for 1 min at most",
  );
  expect(saysSuspension(row)).toBe("Never");
  expect(saysSuspension({ ...row, suspension_after_failures: 1 })).toBe("After 1 failure, for 30 s to 5 min");
  expect(saysHealth(row)).toBe("No checks");
  expect(saysHealth({ ...row, health_interval_ms: 10_000 })).toBe(
    "Every 10 s; unhealthy after 2 checks, healthy after 1 check",
  );
});

test("addresses, trust and credential say what matters, and no secret", () => {
  expect(saysAddresses(row)).toBe("1 address");
  const two = { ...row, others: ["wss://b"] };
  expect(saysAddresses(two)).toBe("2 addresses, round robin");
  expect(saysAddresses({ ...two, balance: "sticky_header" })).toBe("2 addresses, sticky header X-Device");
  const trust = (over: Partial<EndpointRow["tls"]>) => saysTls({ ...row, tls: { ...row.tls, ...over } });
  expect(trust({})).toBe("The backend's certificate is checked by authorities of the gateway's machine");
  expect(trust({ authorities: "PEM" })).toBe(
    "The backend's certificate is checked by authorities of its own",
  );
  expect(trust({ verify: false, client_certificate: "PEM", client_key: "hidden" })).toBe(
    "The backend's certificate is not checked; a client certificate is shown",
  );
  const shown = (over: Partial<EndpointRow["credential"]>) =>
    saysCredential({ ...row, credential: { ...row.credential, ...over } });
  expect(shown({})).toBe("None");
  expect(shown({ kind: "basic", username: "gateway", secret: "hidden" })).toBe(
    "User name and password: gateway",
  );
  expect(shown({ kind: "header", name: "" })).toBe("A header of its own");
});
