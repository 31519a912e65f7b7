// A sign-in provider as its form holds it, and back. Text where the form has one field for a list.
import type { NewSignInProvider, SignInProvider } from "../../api/generated";

export const NEWCOMERS = [
  { word: "refused", label: "Get no account: only whom an administrator let in before signs in" },
  { word: "wait", label: "Get an account, and wait until an administrator approves" },
  { word: "enter", label: "Get an account, and are in" },
];

export interface ProviderRow {
  name: string;
  issuer: string;
  discovery_url: string;
  client_id: string;
  client_secret: string;
  scopes: string;
  username_claim: string;
  roles: string[];
  reads_roles: boolean;
  role_claim: string;
  role_values: { value: string; roles: string[] }[];
  newcomers: string;
  enabled: boolean;
}

export const NEW: ProviderRow = {
  name: "",
  issuer: "",
  discovery_url: "",
  client_id: "",
  client_secret: "",
  scopes: "profile",
  username_claim: "preferred_username",
  roles: ["subscriber"],
  reads_roles: false,
  role_claim: "groups",
  role_values: [{ value: "", roles: [] }],
  newcomers: "refused",
  enabled: true,
};

/** Where a problem of REST stands in the form; problems of one entry of a list beside the whole list. */
export function fieldOf(pointer: string): string {
  const place = /^\/role_claim\/values\/(\d+)\/(value|roles)/.exec(pointer);
  if (place) return `role_values.${place[1]}.${place[2]}`;
  if (pointer.startsWith("/role_claim")) return "role_claim";
  return pointer.split("/")[1] ?? "";
}

/** Where its discovery document is, unless somebody says otherwise. */
export const usualDiscovery = (issuer: string) =>
  `${issuer.trim().replace(/\/+$/, "")}/.well-known/openid-configuration`;

export function rowOf(provider: SignInProvider): ProviderRow {
  return {
    name: provider.name,
    issuer: provider.issuer,
    discovery_url: provider.discovery_url,
    client_id: provider.client_id,
    client_secret: "",
    scopes: provider.scopes.join(" "),
    username_claim: provider.username_claim,
    roles: provider.roles,
    reads_roles: provider.role_claim !== null,
    role_claim: provider.role_claim?.name ?? NEW.role_claim,
    role_values: provider.role_claim?.values ?? NEW.role_values,
    newcomers: provider.newcomers,
    enabled: provider.enabled,
  };
}

export function rowErrors(row: ProviderRow, isNew: boolean): Record<string, string> {
  const missing: [boolean, string, string][] = [
    [row.name.trim() === "", "name", "Say what the button is called."],
    [row.issuer.trim() === "", "issuer", "Enter the issuer, exactly as its tokens say it in iss."],
    [row.client_id.trim() === "", "client_id", "Enter the client id that the provider gave."],
    [isNew && row.client_secret === "", "client_secret", "Enter the secret of this client."],
    [row.username_claim.trim() === "", "username_claim", "Say which claim is the name."],
    [row.reads_roles && row.role_claim.trim() === "", "role_claim", "Say which claim has the roles."],
  ];
  return Object.fromEntries(missing.filter(([is]) => is).map(([, field, words]) => [field, words]));
}

export function changeOf(row: ProviderRow): NewSignInProvider {
  return {
    name: row.name.trim(),
    issuer: row.issuer.trim(),
    ...(row.discovery_url.trim() !== "" && { discovery_url: row.discovery_url.trim() }),
    client_id: row.client_id.trim(),
    // Empty keeps the one there is.
    ...(row.client_secret !== "" && { client_secret: row.client_secret }),
    scopes: row.scopes.split(/\s+/).filter((scope) => scope !== ""),
    username_claim: row.username_claim.trim(),
    roles: row.roles,
    ...(row.reads_roles && { role_claim: { name: row.role_claim.trim(), values: row.role_values } }),
    newcomers: row.newcomers,
    enabled: row.enabled,
  };
}
