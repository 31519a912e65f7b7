// What an endpoint shows its backend, and how it trusts it, as a form holds them. Secrets only go out: a form that
// was filled from REST has none, and an empty one means that the kept one stays. Pure.
import type { BackendTls, BackendTlsInput, Credential, CredentialInput, Endpoint } from "../../api/types";

export interface TlsRow {
  verify: boolean;
  authorities: string;
  server_name: string;
  client_certificate: string;
  client_key: string;
}

/** Fields of every kind, so that choosing another kind and coming back loses nothing. */
export interface CredentialRow {
  kind: string;
  username: string;
  name: string;
  token_url: string;
  client_id: string;
  scope: string;
  /** Password, value or client secret, by the kind. */
  secret: string;
}

export const TLS_LEAVES: (keyof TlsRow)[] = [
  "verify",
  "authorities",
  "server_name",
  "client_certificate",
  "client_key",
];
export const CREDENTIAL_LEAVES: (keyof CredentialRow)[] = [
  "kind",
  "username",
  "name",
  "token_url",
  "client_id",
  "scope",
];
/** How REST calls the secret, by the kind. */
export const CREDENTIAL_SECRETS = ["password", "value", "client_secret"];

export function tlsRowOf(tls: BackendTls | undefined): TlsRow {
  return {
    verify: tls?.verify ?? true,
    authorities: tls?.authorities ?? "",
    server_name: tls?.server_name ?? "",
    client_certificate: tls?.client_certificate ?? "",
    client_key: "",
  };
}

export function tlsOf({ client_key, ...row }: TlsRow): BackendTlsInput {
  return { ...row, ...(client_key && { client_key }) };
}

export function credentialRowOf(credential: Credential | undefined): CredentialRow {
  const empty = { kind: "none", username: "", name: "", token_url: "", client_id: "", scope: "", secret: "" };
  return { ...empty, ...credential };
}

export function credentialOf(row: CredentialRow): CredentialInput {
  const { kind, username, name, token_url, client_id, scope, secret } = row;
  switch (kind) {
    case "basic":
      return { kind, username, ...(secret && { password: secret }) };
    case "header":
      return { kind, name, ...(secret && { value: secret }) };
    case "oauth":
      return { kind, token_url, client_id, scope, ...(secret && { client_secret: secret }) };
    default:
      return { kind: "none" };
  }
}

/** Scheme, host and port, which is who gets a credential. */
function origin(address: string): string {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return address;
  }
}

/** Whether an empty secret keeps the one that is there: the same credential, for nobody who did not have it. */
export function keepsSecret(
  row: { url: string; others: string[]; credential: CredentialRow },
  base: Endpoint | null | undefined,
): boolean {
  if (!base || base.credential.kind === "none") return false;
  const before = credentialRowOf(base.credential);
  const shownTo: (keyof CredentialRow)[] = ["kind", "username", "name", "token_url", "client_id"];
  const now = credentialRowOf(credentialOf(row.credential) as Credential);
  const known = new Set([base.url, ...base.others].map(origin));
  return (
    shownTo.every((leaf) => now[leaf] === before[leaf]) &&
    [row.url, ...row.others].every((address) => known.has(origin(address)))
  );
}

/** The same of the key of the client certificate. */
export function keepsKey(tls: TlsRow, base: Endpoint | null | undefined): boolean {
  return tls.client_certificate !== "" && tls.client_certificate === base?.tls.client_certificate;
}

/** The row once its secrets were sent: they are nowhere in the page any more. */
export function withoutSecrets<R extends { tls: TlsRow; credential: CredentialRow }>(row: R): R {
  return {
    ...row,
    tls: { ...row.tls, client_key: "" },
    credential: { ...row.credential, secret: "" },
  };
}
