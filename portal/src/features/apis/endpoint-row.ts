// One endpoint as the form of its page holds it: numbers as they are typed, each under the name of its bounds. Pure.
import type { Bounds, Endpoint, EndpointBounds, EndpointInput, Environment } from "../../api/types";
import { count } from "../../lib/format";
import { checkEndpointUrl, checkHeaderName, HEALTH_INTERVAL_MILLIS_MIN } from "../../lib/rules";
import {
  CREDENTIAL_LEAVES,
  CREDENTIAL_SECRETS,
  type CredentialRow,
  credentialOf,
  credentialRowOf,
  TLS_LEAVES,
  type TlsRow,
  tlsOf,
  tlsRowOf,
} from "./secret-row";

/** A setting that is a number, by the name of its bounds. */
export type Leaf = Exclude<keyof EndpointBounds, "targets_max">;
export type EndpointRow = Record<Leaf, number | string> & {
  url: string;
  others: string[];
  balance: string;
  sticky_header: string;
  tls: TlsRow;
  credential: CredentialRow;
};

/** Where a setting stands in REST, below its endpoint. */
const PLACES: Record<Leaf, string> = {
  connect_timeout_ms: "connect_timeout_ms",
  tls_timeout_ms: "tls_timeout_ms",
  handshake_timeout_ms: "handshake_timeout_ms",
  idle_timeout_ms: "idle_timeout_ms",
  ping_interval_ms: "ping_interval_ms",
  pong_timeout_ms: "pong_timeout_ms",
  lifetime_max_ms: "lifetime_max_ms",
  suspension_after_failures: "suspension/after_failures",
  suspension_first_ms: "suspension/first_ms",
  suspension_max_ms: "suspension/max_ms",
  health_interval_ms: "health/interval_ms",
  health_timeout_ms: "health/timeout_ms",
  health_unhealthy_after: "health/unhealthy_after",
  health_healthy_after: "health/healthy_after",
};
const LEAVES = Object.keys(PLACES) as Leaf[];

const UNITS = { ms: "milliseconds", bytes: "bytes", failures: "failures", checks: "checks" };
export type Unit = keyof typeof UNITS;
export const unitName = (unit: Unit): string => UNITS[unit];
export function unitOf(leaf: Leaf): Unit {
  if (leaf === "suspension_after_failures") return "failures";
  return leaf === "health_unhealthy_after" || leaf === "health_healthy_after" ? "checks" : "ms";
}

/** `suspension_first_ms` as its field of REST, `suspension.first_ms`. */
export const pathOf = (leaf: Leaf): string => PLACES[leaf].replace("/", ".");

/** What an endpoint has that says nothing of it. */
const DEFAULT_BALANCE = "round_robin";
/** The choice of address that has a header beside it. */
export const STICKY_HEADER = "sticky_header";

export function rowOf(endpoint: Endpoint | null | undefined, bounds: EndpointBounds): EndpointRow {
  const value = (leaf: Leaf): number => {
    const [name = "", inner] = PLACES[leaf].split("/");
    const given = endpoint?.[name as keyof Endpoint] as number | Record<string, number> | undefined;
    const found = inner && typeof given === "object" ? given[inner] : given;
    return typeof found === "number" ? found : bounds[leaf].default;
  };
  const numbers = Object.fromEntries(LEAVES.map((leaf) => [leaf, value(leaf)])) as Record<Leaf, number>;
  return {
    ...numbers,
    url: endpoint?.url ?? "",
    others: endpoint?.others ?? [],
    balance: endpoint?.balance ?? DEFAULT_BALANCE,
    sticky_header: endpoint?.sticky_header ?? "",
    tls: tlsRowOf(endpoint?.tls),
    credential: credentialRowOf(endpoint?.credential),
  };
}

/** The endpoint that a row means; what the row does not show stays as it was read. */
export function endpointOf(row: EndpointRow, base: Endpoint | null | undefined): EndpointInput {
  const { url, others, balance } = row;
  const number = (leaf: Leaf) => Number(row[leaf]);
  return {
    ...base,
    url,
    others,
    balance,
    sticky_header: balance === STICKY_HEADER ? row.sticky_header : (base?.sticky_header ?? ""),
    tls: tlsOf(row.tls),
    credential: credentialOf(row.credential),
    connect_timeout_ms: number("connect_timeout_ms"),
    tls_timeout_ms: number("tls_timeout_ms"),
    handshake_timeout_ms: number("handshake_timeout_ms"),
    idle_timeout_ms: number("idle_timeout_ms"),
    ping_interval_ms: number("ping_interval_ms"),
    pong_timeout_ms: number("pong_timeout_ms"),
    lifetime_max_ms: number("lifetime_max_ms"),
    suspension: {
      ...base?.suspension,
      after_failures: number("suspension_after_failures"),
      first_ms: number("suspension_first_ms"),
      max_ms: number("suspension_max_ms"),
    },
    health: {
      ...base?.health,
      interval_ms: number("health_interval_ms"),
      timeout_ms: number("health_timeout_ms"),
      unhealthy_after: number("health_unhealthy_after"),
      healthy_after: number("health_healthy_after"),
    },
  };
}

/** Why a number cannot be taken, or null. */
export function checkNumber(value: number | string, bounds: Bounds, unit: Unit): string | null {
  const number = Number(value);
  const fits = value !== "" && Number.isInteger(number) && number >= bounds.min && number <= bounds.max;
  return fits ? null : `Choose between ${count(bounds.min)} and ${count(bounds.max)} ${UNITS[unit]}.`;
}

/** 0, or not so often that checks are all that a backend does. */
function checkInterval(value: number | string, bounds: Bounds): string | null {
  const number = Number(value);
  const isTooShort = value !== "" && number > 0 && number < HEALTH_INTERVAL_MILLIS_MIN;
  if (!isTooShort) return checkNumber(value, bounds, "ms");
  return `Choose 0 for no checks, or between ${count(HEALTH_INTERVAL_MILLIS_MIN)} and ${count(bounds.max)} milliseconds.`;
}

/** What is wrong with a row, under the names of the form's fields. An endpoint without address is none. */
export function rowErrors(
  environment: Environment,
  row: EndpointRow,
  bounds: EndpointBounds,
): Record<string, string> {
  const errors: Record<string, string> = {};
  const note = (field: string, told: string | null) => {
    if (told !== null) errors[`${environment}.${field}`] = told;
  };
  if (row.url === "") {
    if (row.others.length > 0) note("url", "Enter the first address as well, or remove the further ones.");
    return errors;
  }
  note("url", checkEndpointUrl(row.url));
  row.others.forEach((url, place) => {
    const before = [row.url, ...row.others.slice(0, place)];
    const twice = before.includes(url) ? "This address is there already. Each address stands once." : null;
    note(`others.${place}`, checkEndpointUrl(url) ?? twice);
  });
  for (const leaf of LEAVES) note(leaf, checkNumber(row[leaf], bounds[leaf], unitOf(leaf)));
  note("health_interval_ms", checkInterval(row.health_interval_ms, bounds.health_interval_ms));
  if (row.balance === STICKY_HEADER) note("sticky_header", checkHeaderName(row.sticky_header));
  return errors;
}

/** The form's field for each place in REST that a problem can name. */
export function problemFields(environment: Environment, bounds: EndpointBounds): Record<string, string> {
  const at = `/endpoints/${environment}`;
  const fields: Record<string, string> = {
    [at]: `${environment}.url`,
    [`${at}/balance`]: `${environment}.balance`,
    [`${at}/others`]: `${environment}.others`,
    [`${at}/sticky_header`]: `${environment}.sticky_header`,
    [`${at}/tls`]: `${environment}.tls.verify`,
    [`${at}/credential`]: `${environment}.credential.kind`,
  };
  for (const leaf of TLS_LEAVES) fields[`${at}/tls/${leaf}`] = `${environment}.tls.${leaf}`;
  for (const leaf of CREDENTIAL_LEAVES)
    fields[`${at}/credential/${leaf}`] = `${environment}.credential.${leaf}`;
  for (const leaf of CREDENTIAL_SECRETS)
    fields[`${at}/credential/${leaf}`] = `${environment}.credential.secret`;
  for (let place = 0; place < bounds.targets_max; place += 1) {
    fields[`${at}/others/${place}`] = `${environment}.others.${place}`;
  }
  for (const leaf of LEAVES) fields[`${at}/${PLACES[leaf]}`] = `${environment}.${leaf}`;
  return fields;
}
