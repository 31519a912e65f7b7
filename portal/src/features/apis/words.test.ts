import { expect, test } from "vitest";
import { fieldName, fieldValue } from "./words";

/** Path, value of REST, name and value as people read them. */
type Told = [string, string | null, string, string];

const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

const ENDPOINT: Told[] = [
  ["url", "ws://b", "address", "ws://b"],
  ["others", "ws://b, ws://c", "further addresses", "ws://b, ws://c"],
  ["others", null, "further addresses", "none"],
  ["balance", "least_connections", "choice of address", "Least connections"],
  ["balance", "sticky_header", "choice of address", "Sticky header"],
  ["sticky_header", "X-Device", "sticky header", "X-Device"],
  ["suspension.after_failures", "1", "suspended after", "1 failure"],
  ["suspension.first_ms", "30000", "first suspension", "30 s"],
  ["suspension.max_ms", "300000", "longest suspension", "5 min"],
  ["health.interval_ms", "0", "time between health checks", "never"],
  ["health.interval_ms", "10000", "time between health checks", "10 s"],
  ["health.timeout_ms", "5000", "time for a health check", "5 s"],
  ["health.unhealthy_after", "2", "unhealthy after", "2 checks"],
  ["health.healthy_after", "1", "healthy after", "1 check"],
  ["connect_timeout_ms", "5000", "connect timeout", "5 s"],
  ["tls_timeout_ms", "5000", "TLS timeout", "5 s"],
  ["handshake_timeout_ms", "250", "handshake timeout", "250 ms"],
  ["idle_timeout_ms", "900000", "idle timeout", "15 min"],
  ["ping_interval_ms", "0", "ping interval", "never"],
  ["pong_timeout_ms", "10000", "pong timeout", "10 s"],
  ["lifetime_max_ms", "0", "longest life of a session", "never"],
  ["tls.verify", "false", "check of the backend's certificate", "off"],
  ["tls.authorities", null, "own authorities", "those of the gateway's machine"],
  ["tls.authorities", pem("MII\nabcdefghij=="), "own authorities", "1 certificate, ending in …cdefghij"],
  ["tls.server_name", null, "name in the backend's certificate", "the address's host"],
  ["tls.server_name", "b.example", "name in the backend's certificate", "b.example"],
  [
    "tls.client_certificate",
    pem("MIIa") + pem("MIIzyxwvuts"),
    "client certificate",
    "2 certificates, ending in …zyxwvuts",
  ],
  ["tls.client_certificate", null, "client certificate", "nothing"],
  ["tls.client_key", "set anew", "key of the client certificate", "set anew"],
  ["credential.kind", "none", "credential", "None"],
  ["credential.kind", "oauth", "credential", "OAuth client credentials"],
  ["credential.name", "gateway", "user or header of the credential", "gateway"],
  ["credential.token_url", "https://issuer/token", "address for tokens", "https://issuer/token"],
  ["credential.client_id", "gateway", "client id", "gateway"],
  ["credential.scope", "read write", "scopes", "read write"],
  ["credential.secret", "set", "secret of the credential", "set"],
];
const PROTOCOL: Told[] = [
  ["compression", "terminate", "compression", "Terminate"],
  ["frame_checks", "true", "frame checks", "on"],
  ["utf8_check", "false", "check of text", "off"],
  ["message_bytes_max", "16777216", "largest message", "16 MiB"],
  ["frame_bytes_max", "1000", "largest frame", "1,000 B"],
];
const HEADERS: Told[] = [
  ["forward", "listed", "forwarded", "Only listed headers"],
  ["allow", "Cookie, X-Device", "allowed", "Cookie, X-Device"],
  ["deny", null, "denied", "none"],
  ["rename", "X-Device → Device-Id", "renamed", "X-Device → Device-Id"],
  ["set", "X-Plan: {plan}", "set", "X-Plan: {plan}"],
  ["backend_jwt", "true", "backend JWT", "on"],
];

test("every path that can differ has a name and its values are read by people", () => {
  const all = (group: string, of: string, told: Told[]) => {
    for (const [leaf, value, name, read] of told) {
      const path = `${group}.${leaf}`;
      expect([fieldName(path), fieldValue(path, value)]).toEqual([`${of}: ${name}`, read]);
    }
  };
  all("endpoints.production", "Production endpoint", ENDPOINT);
  all("protocol", "Protocol", PROTOCOL);
  all("headers", "Headers", HEADERS);
  expect([fieldName("mappings"), fieldValue("mappings", null)]).toEqual(["Topic mappings", "none"]);
});

test("paths of REST have names for people", () => {
  expect(fieldName("endpoints.sandbox.url")).toBe("Sandbox endpoint: address");
  expect(fieldName("plans")).toBe("Business plans");
  expect(fieldValue("endpoints.production.url", null)).toBe("nothing");
});
