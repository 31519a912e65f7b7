// The working copy as the forms change it: what is sent, what differs, and how its fields are called. Pure.
import type { Api, UpdateApi } from "../../api/types";
import { duration } from "../../lib/format";

/** What a PUT of the working copy as it is would carry. Endpoints go back whole: no form shows all of them. */
export function designOf(api: Api): UpdateApi {
  const { production, sandbox } = api.endpoints;
  return {
    description: api.description,
    endpoints: { ...(production && { production }), ...(sandbox && { sandbox }) },
    plans: api.plans,
    is_default_version: api.is_default_version,
  };
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
    fields[`endpoints.${environment}.url`] = endpoint?.url ?? "";
    for (const leaf of ["connect_timeout_ms", "handshake_timeout_ms", "idle_timeout_ms"] as const) {
      const value = endpoint?.[leaf];
      fields[`endpoints.${environment}.${leaf}`] = value === undefined || value === null ? "" : String(value);
    }
  }
  return fields;
}

const WORDS: Record<string, string> = {
  description: "Description",
  plans: "Business plans",
  is_default_version: "Default version",
  url: "address",
  connect_timeout_ms: "connect timeout",
  handshake_timeout_ms: "handshake timeout",
  idle_timeout_ms: "idle timeout",
  lifetime_max_ms: "longest life of a session",
  others: "further addresses",
  balance: "choice of address",
  ping_interval_ms: "silence before a Ping",
  pong_timeout_ms: "patience for a Pong",
};

/** `endpoints.production.url` as `Production endpoint: address`. */
export function fieldName(path: string): string {
  const [group, environment, leaf] = path.split(".");
  if (group === "endpoints" && environment && leaf) {
    return `${environment.charAt(0).toUpperCase()}${environment.slice(1)} endpoint: ${WORDS[leaf] ?? leaf}`;
  }
  return WORDS[path] ?? path;
}

/** A value of a field as people read it. */
export function fieldValue(path: string, value: string | null | undefined): string {
  if (value === null || value === undefined || value === "") return "nothing";
  return path.endsWith("_ms") && Number.isFinite(Number(value)) ? duration(Number(value)) : value;
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
