import { expect, test } from "vitest";
import type { Endpoint, EndpointBounds } from "../../api/types";
import { checkNumber, endpointOf, problemFields, rowErrors, rowOf } from "./endpoint-row";

const of = (min: number, usual: number, max: number) => ({ min, default: usual, max });
const bounds: EndpointBounds = {
  connect_timeout_ms: of(10, 5_000, 60_000),
  tls_timeout_ms: of(10, 5_000, 60_000),
  handshake_timeout_ms: of(10, 10_000, 60_000),
  idle_timeout_ms: of(100, 900_000, 86_400_000),
  ping_interval_ms: of(0, 0, 86_400_000),
  pong_timeout_ms: of(100, 10_000, 600_000),
  lifetime_max_ms: of(0, 0, 604_800_000),
  suspension_after_failures: of(0, 3, 100),
  suspension_first_ms: of(100, 30_000, 3_600_000),
  suspension_max_ms: of(100, 300_000, 86_400_000),
  health_interval_ms: of(0, 0, 3_600_000),
  health_timeout_ms: of(10, 5_000, 60_000),
  health_unhealthy_after: of(1, 2, 100),
  health_healthy_after: of(1, 2, 100),
  targets_max: 16,
};
const endpoint: Endpoint = {
  url: "ws://a",
  others: ["ws://b"],
  balance: "failover",
  sticky_header: "X-Device",
  suspension: { after_failures: 1, first_ms: 200, max_ms: 400 },
  health: { interval_ms: 1_000, timeout_ms: 21, unhealthy_after: 3, healthy_after: 4 },
  tls: { verify: false, authorities: "PEM a", server_name: "b.example", client_certificate: "PEM c" },
  credential: { kind: "basic", username: "gateway" },
  connect_timeout_ms: 11,
  tls_timeout_ms: 17,
  handshake_timeout_ms: 12,
  idle_timeout_ms: 130,
  ping_interval_ms: 14,
  pong_timeout_ms: 150,
  lifetime_max_ms: 16,
};

test("an endpoint comes out of the form as it went in", () => {
  expect(endpointOf(rowOf(endpoint, bounds), endpoint)).toEqual(endpoint);
});

test("an endpoint that is not declared starts with the defaults", () => {
  const row = rowOf(null, bounds);
  expect([row.url, row.balance, row.suspension_first_ms, row.lifetime_max_ms]).toEqual([
    "",
    "round_robin",
    30_000,
    0,
  ]);
  expect(rowErrors("sandbox", row, bounds)).toEqual({});
});

test("what is wrong is told under the field's name", () => {
  const row = { ...rowOf(endpoint, bounds), others: ["ws://b", "ws://a", "http://c"], pong_timeout_ms: "" };
  expect(rowErrors("production", row, bounds)).toEqual({
    "production.others.1": "This address is there already. Each address stands once.",
    "production.others.2": "The address must begin with ws:// or wss:// (secured).",
    "production.pong_timeout_ms": "Choose between 100 and 600,000 milliseconds.",
  });
  expect(rowErrors("production", { ...row, url: "" }, bounds)).toEqual({
    "production.url": "Enter the first address as well, or remove the further ones.",
  });
  expect(checkNumber(0, bounds.lifetime_max_ms, "ms")).toBeNull();
  expect(checkNumber(101, bounds.suspension_after_failures, "failures")).toBe(
    "Choose between 0 and 100 failures.",
  );
});

test("a problem of REST finds its field", () => {
  const fields = problemFields("production", bounds);
  expect(fields["/endpoints/production/others/14"]).toBe("production.others.14");
  expect(fields["/endpoints/production/suspension/first_ms"]).toBe("production.suspension_first_ms");
  expect(fields["/endpoints/production/health/interval_ms"]).toBe("production.health_interval_ms");
  expect(fields["/endpoints/production/tls/client_key"]).toBe("production.tls.client_key");
  expect(fields["/endpoints/production/credential/username"]).toBe("production.credential.username");
  for (const secret of ["password", "value", "client_secret"]) {
    expect(fields[`/endpoints/production/credential/${secret}`]).toBe("production.credential.secret");
  }
});

test("checks are off, or not all that a backend does; a sticky header has a name where it is used", () => {
  const row = { ...rowOf(endpoint, bounds), sticky_header: "X Device", health_interval_ms: 99 };
  expect(rowErrors("sandbox", row, bounds)).toEqual({
    "sandbox.health_interval_ms": "Choose 0 for no checks, or between 100 and 3,600,000 milliseconds.",
  });
  expect(rowErrors("sandbox", { ...row, balance: "sticky_header", health_interval_ms: 0 }, bounds)).toEqual({
    "sandbox.sticky_header": "A header's name has letters, digits and hyphens.",
  });
});
