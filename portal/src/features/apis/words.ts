// The fields of a design in words: how each is called, and how its values are read. Pure.
import type {
  BackendTls,
  Endpoint,
  HeaderRules,
  HealthCheck,
  Protocol,
  Security,
  Suspension,
  Topics,
} from "../../api/types";
import { counted, exactDuration, exactSize, title } from "../../lib/format";
import { BALANCES, COMPRESSIONS, CREDENTIALS, FORWARDS, labelOf, MISDIRECTED, WAYS } from "./choices";

type Grouped = "suspension" | "health" | "tls" | "credential";
type CredentialLeaf = "kind" | "name" | "token_url" | "client_id" | "scope" | "secret";
export type EndpointLeaf =
  | Exclude<keyof Endpoint, Grouped>
  | `suspension.${keyof Suspension}`
  | `health.${keyof HealthCheck}`
  | `tls.${keyof BackendTls | "client_key"}`
  | `credential.${CredentialLeaf}`;

/** Every setting of an endpoint under the end of its REST path. */
export const ENDPOINT_WORDS: Record<EndpointLeaf, string> = {
  url: "address",
  others: "further addresses",
  balance: "choice of address",
  sticky_header: "sticky header",
  "suspension.after_failures": "suspended after",
  "suspension.first_ms": "first suspension",
  "suspension.max_ms": "longest suspension",
  "health.interval_ms": "time between health checks",
  "health.timeout_ms": "time for a health check",
  "health.unhealthy_after": "unhealthy after",
  "health.healthy_after": "healthy after",
  connect_timeout_ms: "connect timeout",
  tls_timeout_ms: "TLS timeout",
  handshake_timeout_ms: "handshake timeout",
  idle_timeout_ms: "idle timeout",
  ping_interval_ms: "ping interval",
  pong_timeout_ms: "pong timeout",
  lifetime_max_ms: "longest life of a session",
  "tls.verify": "check of the backend's certificate",
  "tls.authorities": "own authorities",
  "tls.server_name": "name in the backend's certificate",
  "tls.client_certificate": "client certificate",
  "tls.client_key": "key of the client certificate",
  "credential.kind": "credential",
  "credential.name": "user or header of the credential",
  "credential.token_url": "address for tokens",
  "credential.client_id": "client id",
  "credential.scope": "scopes",
  "credential.secret": "secret of the credential",
};

export const PROTOCOL_WORDS: Record<keyof Protocol, string> = {
  compression: "compression",
  frame_checks: "frame checks",
  utf8_check: "check of text",
  message_bytes_max: "largest message",
  frame_bytes_max: "largest frame",
};

export const HEADER_WORDS: Record<keyof HeaderRules, string> = {
  forward: "forwarded",
  allow: "allowed",
  deny: "denied",
  rename: "renamed",
  set: "set",
  backend_jwt: "backend JWT",
};

export const SECURITY_WORDS: Record<keyof Security, string> = {
  accepts: "accepted credentials",
  api_key_header: "header of API keys",
  api_key_query: "query parameter of API keys",
  origins: "origins",
};

export const TOPIC_WORDS: Record<keyof Topics, string> = {
  declared: "declared",
  misdirected: "messages against the direction",
};

const WORDS: Record<string, string> = {
  description: "Description",
  plans: "Business plans",
  api_policy: "API policy",
  notice: "Notice of dropped messages",
  is_default_version: "Default version",
  issuers: "Accepted issuers",
  mappings: "Topic mappings",
  scopes: "Scopes",
};

/** `endpoints.production.url` as `Production endpoint: address`. */
export function fieldName(path: string): string {
  const [group, second = "", ...rest] = path.split(".");
  if (group === "endpoints") {
    const leaf = rest.join(".");
    return `${title(second)} endpoint: ${ENDPOINT_WORDS[leaf as EndpointLeaf] ?? leaf}`;
  }
  if (group === "protocol") return `Protocol: ${PROTOCOL_WORDS[second as keyof Protocol] ?? second}`;
  if (group === "security") return `Security: ${SECURITY_WORDS[second as keyof Security] ?? second}`;
  if (group === "topics") return `Topics: ${TOPIC_WORDS[second as keyof Topics] ?? second}`;
  if (group === "headers") return `Headers: ${HEADER_WORDS[second as keyof HeaderRules] ?? second}`;
  return WORDS[path] ?? path;
}

/** Settings whose 0 is no number but a no. */
const NEVER = ["ping_interval_ms", "lifetime_max_ms", "after_failures", "interval_ms"];
const SWITCHES = ["utf8_check", "frame_checks", "verify", "backend_jwt"];
const LISTS = [
  "others",
  "mappings",
  "allow",
  "deny",
  "rename",
  "set",
  "accepts",
  "origins",
  "declared",
  "scopes",
];
const CHOSEN = new Map([
  ["balance", BALANCES],
  ["compression", COMPRESSIONS],
  ["kind", CREDENTIALS],
  ["forward", FORWARDS],
  ["misdirected", MISDIRECTED],
]);
const COUNTED = new Map([
  ["after_failures", "failure"],
  ["unhealthy_after", "check"],
  ["healthy_after", "check"],
]);
/** Words that take the place of `nothing`. */
const WITHOUT = new Map([
  ["authorities", "those of the gateway's machine"],
  ["server_name", "the address's host"],
]);
/** How much of a certificate's end tells it from another. */
const CERTIFICATE_END = 8;

/** Certificates are too long to be read: how many there are, and how the last one ends. */
function certificates(pem: string): string {
  const bodies = [...pem.matchAll(/-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----/gs)];
  const last = bodies.at(-1)?.[1]?.replace(/[\s=]/g, "");
  if (last === undefined) return pem;
  return `${counted(bodies.length, "certificate")}, ending in …${last.slice(-CERTIFICATE_END)}`;
}

/** A value of a field as people read it. */
export function fieldValue(path: string, value: string | null | undefined): string {
  const leaf = path.split(".").pop() ?? path;
  if (value === null || value === undefined || value === "") {
    return LISTS.includes(leaf) ? "none" : (WITHOUT.get(leaf) ?? "nothing");
  }
  const choices = CHOSEN.get(leaf);
  if (choices) return labelOf(choices, value);
  if (leaf === "accepts") {
    const words = value.split(", ");
    return WAYS.filter(({ word }) => words.includes(word))
      .map(({ label }) => label)
      .join(", ");
  }
  if (SWITCHES.includes(leaf)) return value === "true" ? "on" : "off";
  if (leaf === "authorities" || leaf === "client_certificate") return certificates(value);
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  if (number === 0 && NEVER.includes(leaf)) return "never";
  const noun = COUNTED.get(leaf);
  if (noun) return counted(number, noun);
  if (leaf.endsWith("_ms")) return exactDuration(number);
  return leaf.endsWith("_bytes_max") ? exactSize(number) : value;
}
