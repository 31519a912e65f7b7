// The working copy as the forms change it: what is sent, and what differs. Pure.
import type {
  Api,
  BackendTlsInput,
  EndpointInput,
  HeaderRulesInput,
  ScopeInput,
  UpdateApi,
} from "../../api/types";
import {
  ENDPOINT_WORDS,
  type EndpointLeaf,
  fieldName,
  fieldValue,
  HEADER_WORDS,
  PROTOCOL_WORDS,
  SECURITY_WORDS,
} from "./words";

/**
 * What a PUT of the working copy as it is would carry. All of it goes back whole: no form shows everything. Secrets
 * are not in it and stay as they were.
 */
export function designOf(api: Api): UpdateApi {
  const { production, sandbox } = api.endpoints;
  return {
    description: api.description,
    endpoints: { ...(production && { production }), ...(sandbox && { sandbox }) },
    protocol: api.protocol,
    notice: api.notice,
    headers: api.headers,
    mappings: api.mappings,
    topics: api.topics,
    scopes: api.scopes,
    security: api.security,
    issuers: api.issuers,
    plans: api.plans,
    api_policy: api.api_policy,
    is_default_version: api.is_default_version,
  };
}

const keysOf = <K extends string>(words: Record<K, string>) => Object.keys(words) as K[];
const textOf = (value: unknown): string => (value === undefined || value === null ? "" : String(value));

/** A secret is said to be there or to be a new one, as REST says it. */
const secretOf = (given: string | null | undefined, isThere: boolean): string => {
  if (given) return "set anew";
  return isThere ? "set" : "";
};

function credentialSetting({ credential }: EndpointInput, leaf: string): string {
  if (!credential || credential.kind === "none") return leaf === "kind" ? "none" : "";
  if (leaf === "kind") return credential.kind;
  switch (credential.kind) {
    case "basic":
      if (leaf === "secret") return secretOf(credential.password, true);
      return leaf === "name" ? credential.username : "";
    case "header":
      if (leaf === "secret") return secretOf(credential.value, true);
      return leaf === "name" ? credential.name : "";
    case "oauth":
      if (leaf === "secret") return secretOf(credential.client_secret, true);
      if (leaf === "scope") return credential.scope ?? "";
      if (leaf === "client_id") return credential.client_id;
      return leaf === "token_url" ? credential.token_url : "";
  }
}

function tlsSetting(tls: BackendTlsInput | undefined, leaf: string): unknown {
  if (leaf === "client_key") return secretOf(tls?.client_key, Boolean(tls?.client_certificate));
  return tls?.[leaf as keyof BackendTlsInput];
}

function settingOf(endpoint: EndpointInput, path: EndpointLeaf): unknown {
  if (path === "others") return endpoint.others?.join(", ");
  const [group, leaf = ""] = path.split(".");
  if (group === "credential") return credentialSetting(endpoint, leaf);
  if (group === "tls") return tlsSetting(endpoint.tls, leaf);
  const given = endpoint[group as keyof EndpointInput];
  return leaf ? (given as Record<string, unknown> | undefined)?.[leaf] : given;
}

function headerSetting(rules: HeaderRulesInput | null | undefined, leaf: keyof HeaderRulesInput): string {
  if (leaf === "rename") return (rules?.rename ?? []).map(({ from, to }) => `${from} → ${to}`).join(", ");
  if (leaf === "set") return (rules?.set ?? []).map(({ name, value }) => `${name}: ${value}`).join(", ");
  const given = rules?.[leaf];
  return Array.isArray(given) ? given.join(", ") : textOf(given);
}

const needs = (word: string, scopes: string[] | undefined): string =>
  scopes && scopes.length > 0 ? ` ${word} with ${scopes.join(" or ")}` : "";

function scopeSetting({ name, display_name, description, roles }: ScopeInput): string {
  const named = display_name ? ` “${display_name}”` : "";
  const held = roles && roles.length > 0 ? ` for ${roles.join(" or ")}` : "";
  return `${name}${named}${held}${description ? `: ${description}` : ""}`;
}

/** Every field of a design under its REST path, as text. */
export function fieldsOf(design: UpdateApi): Record<string, string> {
  const fields: Record<string, string> = {
    description: design.description,
    plans: [...design.plans].sort().join(", "),
    api_policy: textOf(design.api_policy),
    notice: design.notice ? JSON.stringify(design.notice) : "",
    is_default_version: design.is_default_version ? "yes" : "no",
    issuers: (design.issuers ?? []).join(", "),
    mappings: (design.mappings ?? []).map(({ topic, backend }) => `${topic} → ${backend}`).join(", "),
  };
  for (const environment of ["production", "sandbox"] as const) {
    const endpoint = design.endpoints[environment];
    for (const leaf of keysOf(ENDPOINT_WORDS)) {
      fields[`endpoints.${environment}.${leaf}`] = endpoint ? textOf(settingOf(endpoint, leaf)) : "";
    }
  }
  for (const leaf of keysOf(PROTOCOL_WORDS)) fields[`protocol.${leaf}`] = textOf(design.protocol?.[leaf]);
  const topics = (design.topics?.declared ?? []).map(
    ({ path, direction, description, publish_scopes, subscribe_scopes, api_policy }) =>
      `${path} (${direction ?? "both"})${needs("publish", publish_scopes)}${needs("subscribe", subscribe_scopes)}${api_policy ? ` under ${api_policy}` : ""}${description ? `: ${description}` : ""}`,
  );
  fields["topics.declared"] = topics.join(", ");
  fields.scopes = (design.scopes ?? []).map(scopeSetting).join(", ");
  fields["topics.misdirected"] = textOf(design.topics?.misdirected);
  for (const leaf of keysOf(HEADER_WORDS)) fields[`headers.${leaf}`] = headerSetting(design.headers, leaf);
  for (const leaf of keysOf(SECURITY_WORDS)) {
    const given = design.security?.[leaf];
    fields[`security.${leaf}`] = Array.isArray(given) ? given.join(", ") : textOf(given);
  }
  return fields;
}

/**
 * Whether nothing of the design changed between two readings: a deployment or a move changes the record alone. A secret
 * that changed is only seen in what differs from what is live.
 */
export function isSameDesign(before: Api, after: Api): boolean {
  const known = new Set(before.differs.map(({ field }) => field));
  return (
    JSON.stringify(designOf(before)) === JSON.stringify(designOf(after)) &&
    after.differs.every(({ field }) => known.has(field))
  );
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
