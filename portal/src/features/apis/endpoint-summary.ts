// What the settings of an endpoint say, a line for each group, for when nobody looks at its fields. Pure.
import { counted } from "../../lib/format";
import { CREDENTIALS, labelOf } from "./choices";
import { type EndpointRow, type Leaf, pathOf, STICKY_HEADER } from "./endpoint-row";
import { fieldValue } from "./words";

const read = (row: EndpointRow, leaf: Leaf) => fieldValue(pathOf(leaf), String(row[leaf]));
const isNever = (row: EndpointRow, leaf: Leaf) => Number(row[leaf]) === 0;

/** `3 addresses, round robin`. */
export function saysAddresses({ others, balance, sticky_header }: EndpointRow): string {
  const told = counted(others.length + 1, "address", "addresses");
  if (others.length === 0) return told;
  const by = balance === STICKY_HEADER && sticky_header !== "" ? ` ${sticky_header}` : "";
  return `${told}, ${fieldValue("balance", balance).toLowerCase()}${by}`;
}

export function saysTimeouts(row: EndpointRow): string {
  const [connect, tls] = [read(row, "connect_timeout_ms"), read(row, "tls_timeout_ms")];
  const [handshake, idle] = [read(row, "handshake_timeout_ms"), read(row, "idle_timeout_ms")];
  return `Connect ${connect}, TLS ${tls}, handshake ${handshake}, idle ${idle}`;
}

export function saysKeepAlive(row: EndpointRow): string {
  const ping = isNever(row, "ping_interval_ms")
    ? "No Pings"
    : `A Ping after ${read(row, "ping_interval_ms")} of silence`;
  const life = isNever(row, "lifetime_max_ms")
    ? "sessions live as long as they like"
    : `sessions live for ${read(row, "lifetime_max_ms")} at most`;
  return `${ping}; ${life}`;
}

export function saysSuspension(row: EndpointRow): string {
  if (isNever(row, "suspension_after_failures")) return "Never";
  const after = read(row, "suspension_after_failures");
  return `After ${after}, for ${read(row, "suspension_first_ms")} to ${read(row, "suspension_max_ms")}`;
}

export function saysHealth(row: EndpointRow): string {
  if (isNever(row, "health_interval_ms")) return "No checks";
  const [down, up] = [read(row, "health_unhealthy_after"), read(row, "health_healthy_after")];
  return `Every ${read(row, "health_interval_ms")}; unhealthy after ${down}, healthy after ${up}`;
}

export function saysTls({ tls }: EndpointRow): string {
  const own = tls.client_certificate === "" ? "" : "; a client certificate is shown";
  if (!tls.verify) return `The backend's certificate is not checked${own}`;
  const by = tls.authorities === "" ? "authorities of the gateway's machine" : "authorities of its own";
  return `The backend's certificate is checked by ${by}${own}`;
}

export function saysCredential({ credential }: EndpointRow): string {
  const { kind, username, name, client_id } = credential;
  const who = { basic: username, header: name, oauth: client_id }[kind];
  return who ? `${labelOf(CREDENTIALS, kind)}: ${who}` : labelOf(CREDENTIALS, kind);
}
