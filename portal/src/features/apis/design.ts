// The working copy as the forms change it: what is sent, what differs, and how its fields are called. Pure.
import type { Api, Endpoint, EndpointInput, Protocol, Suspension, UpdateApi } from "../../api/types";
import { counted, exactDuration, exactSize, title } from "../../lib/format";

type EndpointLeaf = Exclude<keyof Endpoint, "suspension"> | `suspension.${keyof Suspension}`;

/** Every setting of an endpoint under the end of its REST path. */
const ENDPOINT_WORDS: Record<EndpointLeaf, string> = {
  url: "address",
  others: "further addresses",
  balance: "choice of address",
  "suspension.after_failures": "suspended after",
  "suspension.first_ms": "first suspension",
  "suspension.max_ms": "longest suspension",
  connect_timeout_ms: "connect timeout",
  handshake_timeout_ms: "handshake timeout",
  idle_timeout_ms: "idle timeout",
  ping_interval_ms: "ping interval",
  pong_timeout_ms: "pong timeout",
  lifetime_max_ms: "longest life of a session",
};

const PROTOCOL_WORDS: Record<keyof Protocol, string> = {
  compression: "compression",
  utf8_check: "check of text",
  message_bytes_max: "largest message",
  frame_bytes_max: "largest frame",
};

const WORDS: Record<string, string> = {
  description: "Description",
  plans: "Business plans",
  is_default_version: "Default version",
};

/** A word of REST as people choose it: its name, and what follows from it. */
export interface Choice {
  word: string;
  label: string;
  notices: string;
}

export const BALANCES: Choice[] = [
  {
    word: "round_robin",
    label: "Round robin",
    notices: "A new session goes to the next address in turn.",
  },
  {
    word: "failover",
    label: "Failover",
    notices: "Every session goes to the first address; the others are for when it does not work.",
  },
  {
    word: "least_connections",
    label: "Least connections",
    notices: "A new session goes to the address with the fewest open sessions of this gateway.",
  },
  {
    word: "sticky_client",
    label: "Sticky client",
    notices: "All sessions from one client address go to the same address of the backend.",
  },
];

export const COMPRESSIONS: Choice[] = [
  {
    word: "off",
    label: "Off",
    notices: "Compression is not agreed with anybody: a client that offers it goes on without.",
  },
  {
    word: "pass",
    label: "Pass",
    notices:
      "Client and backend agree on it. Compressed messages pass unread: their text is not checked, and their sizes are those of the compressed form.",
  },
  {
    word: "terminate",
    label: "Terminate",
    notices:
      "Either side agrees on it with the gateway, for itself. Every message is checked and measured as it is; a client that sends a damaged one is closed with code 1007.",
  },
];

const labelOf = (choices: Choice[], word: string): string =>
  choices.find((choice) => choice.word === word)?.label ?? word;

/** What a PUT of the working copy as it is would carry. All of it goes back whole: no form shows everything. */
export function designOf(api: Api): UpdateApi {
  const { production, sandbox } = api.endpoints;
  return {
    description: api.description,
    endpoints: { ...(production && { production }), ...(sandbox && { sandbox }) },
    protocol: api.protocol,
    plans: api.plans,
    is_default_version: api.is_default_version,
  };
}

const keysOf = <K extends string>(words: Record<K, string>) => Object.keys(words) as K[];
const textOf = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

function settingOf(endpoint: EndpointInput, leaf: EndpointLeaf): unknown {
  if (leaf === "others") return endpoint.others?.join(", ");
  const [group, inner] = leaf.split(".");
  return group === "suspension"
    ? endpoint.suspension?.[inner as keyof Suspension]
    : endpoint[leaf as Exclude<keyof Endpoint, "suspension">];
}

/** Every field of a design under its REST path, as text. */
export function fieldsOf(design: UpdateApi): Record<string, string> {
  const fields: Record<string, string> = {
    description: design.description,
    plans: [...design.plans].sort().join(", "),
    is_default_version: design.is_default_version ? "yes" : "no",
  };
  for (const environment of ["production", "sandbox"] as const) {
    const endpoint = design.endpoints[environment];
    for (const leaf of keysOf(ENDPOINT_WORDS)) {
      fields[`endpoints.${environment}.${leaf}`] = endpoint ? textOf(settingOf(endpoint, leaf)) : "";
    }
  }
  for (const leaf of keysOf(PROTOCOL_WORDS)) fields[`protocol.${leaf}`] = textOf(design.protocol?.[leaf]);
  return fields;
}

/** `endpoints.production.url` as `Production endpoint: address`. */
export function fieldName(path: string): string {
  const [group, second = "", ...rest] = path.split(".");
  if (group === "endpoints") {
    const leaf = rest.join(".");
    return `${title(second)} endpoint: ${ENDPOINT_WORDS[leaf as EndpointLeaf] ?? leaf}`;
  }
  if (group === "protocol") return `Protocol: ${PROTOCOL_WORDS[second as keyof Protocol] ?? second}`;
  return WORDS[path] ?? path;
}

/** Settings whose 0 is no number but a no. */
const NEVER = ["ping_interval_ms", "lifetime_max_ms", "after_failures"];

/** A value of a field as people read it. */
export function fieldValue(path: string, value: string | null | undefined): string {
  const leaf = path.split(".").pop() ?? path;
  if (value === null || value === undefined || value === "") return leaf === "others" ? "none" : "nothing";
  if (leaf === "balance") return labelOf(BALANCES, value);
  if (leaf === "compression") return labelOf(COMPRESSIONS, value);
  if (leaf === "utf8_check") return value === "true" ? "on" : "off";
  const number = Number(value);
  if (!Number.isFinite(number)) return value;
  if (number === 0 && NEVER.includes(leaf)) return "never";
  if (leaf === "after_failures") return counted(number, "failure");
  if (leaf.endsWith("_ms")) return exactDuration(number);
  return leaf.endsWith("_bytes_max") ? exactSize(number) : value;
}

/** Where two designs differ, mine against theirs. */
export function conflict(
  mine: UpdateApi,
  theirs: UpdateApi,
): { field: string; mine: string; theirs: string }[] {
  const [left, right] = [fieldsOf(mine), fieldsOf(theirs)];
  return Object.keys(left)
    .filter((path) => left[path] !== right[path])
    .map((path) => ({
      field: fieldName(path),
      mine: fieldValue(path, left[path]),
      theirs: fieldValue(path, right[path]),
    }));
}
