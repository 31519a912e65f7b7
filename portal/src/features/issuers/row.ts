// A key manager as its form holds it, and back. Text where the form has one field for a list.
import type { KeyManager, KeySource, UpdateKeyManager } from "../../api/types";

export const ALGORITHMS = ["ES256", "EdDSA", "RS256"];
export type Source = keyof KeySource;
export const SOURCES: { word: Source; label: string; placeholder: string }[] = [
  {
    word: "discovery_url",
    label: "Discovery document",
    placeholder: "https://issuer.example.com/.well-known/openid-configuration",
  },
  { word: "jwks_url", label: "Address of the key set", placeholder: "https://issuer.example.com/jwks" },
  { word: "jwks", label: "The key set itself", placeholder: '{"keys": [ … ]}' },
];

export interface KeyManagerRow {
  name: string;
  issuer: string;
  source: Source;
  keys: string;
  audiences: string;
  client_id: string;
  scope: string;
  subject: string;
  algorithms: string[];
  requires_at_jwt: boolean;
  introspects: boolean;
  introspection_url: string;
  introspection_client: string;
  introspection_secret: string;
  enabled: boolean;
}

/** Where the problems of REST stand in the form. */
export const FIELDS: Record<string, string> = {
  "/name": "name",
  "/issuer": "issuer",
  "/keys": "keys",
  "/keys/discovery_url": "keys",
  "/keys/jwks_url": "keys",
  "/keys/jwks": "keys",
  "/audiences": "audiences",
  "/claims/client_id": "client_id",
  "/claims/scope": "scope",
  "/claims/subject": "subject",
  "/algorithms": "algorithms",
  "/introspection/url": "introspection_url",
  "/introspection/client_id": "introspection_client",
  "/introspection/client_secret": "introspection_secret",
};

export const NEW: KeyManagerRow = {
  name: "",
  issuer: "",
  source: "discovery_url",
  keys: "",
  audiences: "",
  client_id: "client_id",
  scope: "scope",
  subject: "sub",
  algorithms: ALGORITHMS,
  requires_at_jwt: false,
  introspects: false,
  introspection_url: "",
  introspection_client: "",
  introspection_secret: "",
  enabled: true,
};

function sourceOf({ discovery_url, jwks_url, jwks }: KeySource): Pick<KeyManagerRow, "source" | "keys"> {
  if (discovery_url) return { source: "discovery_url", keys: discovery_url };
  if (jwks_url) return { source: "jwks_url", keys: jwks_url };
  return { source: "jwks", keys: JSON.stringify(jwks ?? {}, null, 2) };
}

export function rowOf(manager: KeyManager): KeyManagerRow {
  return {
    name: manager.name,
    issuer: manager.issuer,
    ...sourceOf(manager.keys),
    audiences: manager.audiences.join("\n"),
    client_id: manager.claims.client_id,
    scope: manager.claims.scope,
    subject: manager.claims.subject,
    algorithms: manager.algorithms,
    requires_at_jwt: manager.requires_at_jwt,
    introspects: manager.introspection !== null,
    introspection_url: manager.introspection?.url ?? "",
    introspection_client: manager.introspection?.client_id ?? "",
    introspection_secret: "",
    enabled: manager.enabled,
  };
}

/** The text as JSON; `undefined` where it is none. */
export function keySet(text: string): Record<string, unknown> | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null && !Array.isArray(read)
      ? (read as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export function rowErrors(row: KeyManagerRow): Partial<Record<keyof KeyManagerRow, string>> {
  return {
    ...(row.name.trim() === "" && { name: "Enter a name." }),
    ...(row.issuer.trim() === "" && { issuer: "Enter the issuer, exactly as its tokens say it in iss." }),
    ...(row.keys.trim() === "" && { keys: "Say where its keys come from." }),
    ...(row.source === "jwks" &&
      row.keys.trim() !== "" &&
      !keySet(row.keys) && { keys: "This is not JSON." }),
    ...(row.audiences.trim() === "" && { audiences: "Enter at least one audience." }),
    ...(row.algorithms.length === 0 && { algorithms: "Choose at least one algorithm." }),
  };
}

export function changeOf(row: KeyManagerRow): UpdateKeyManager {
  const keys = row.source === "jwks" ? { jwks: keySet(row.keys) ?? {} } : { [row.source]: row.keys.trim() };
  const lines = row.audiences.split("\n").map((line) => line.trim());
  return {
    issuer: row.issuer.trim(),
    keys,
    audiences: lines.filter((line) => line !== ""),
    claims: { client_id: row.client_id, scope: row.scope, subject: row.subject },
    algorithms: row.algorithms,
    requires_at_jwt: row.requires_at_jwt,
    enabled: row.enabled,
    ...(row.introspects && {
      introspection: {
        url: row.introspection_url.trim(),
        client_id: row.introspection_client,
        // Empty keeps the one there is.
        ...(row.introspection_secret !== "" && { client_secret: row.introspection_secret }),
      },
    }),
  };
}
