import { expect, test } from "vitest";
import type { Credential, Endpoint } from "../../api/types";
import {
  credentialOf,
  credentialRowOf,
  keepsKey,
  keepsSecret,
  tlsOf,
  tlsRowOf,
  withoutSecrets,
} from "./secret-row";

const tls = { verify: true, authorities: "", server_name: "", client_certificate: "PEM" };
const base = {
  url: "ws://a.example/x",
  others: ["wss://b.example"],
  tls,
  credential: { kind: "oauth", token_url: "https://issuer", client_id: "g", scope: "read" },
} as Endpoint;
const row = {
  url: base.url,
  others: base.others,
  tls: tlsRowOf(tls),
  credential: credentialRowOf(base.credential),
};

test("every kind comes out of the form as it went in, and its secret only where one was typed", () => {
  const kinds: Credential[] = [
    { kind: "none" },
    { kind: "basic", username: "u" },
    { kind: "header", name: "X-Api-Key" },
    { kind: "oauth", token_url: "https://issuer", client_id: "g", scope: "" },
  ];
  for (const kind of kinds) expect(credentialOf(credentialRowOf(kind))).toEqual(kind);
  const typed = (kind: Credential) => credentialOf({ ...credentialRowOf(kind), secret: "s" });
  expect(kinds.map(typed)).toEqual([
    { kind: "none" },
    { ...kinds[1], password: "s" },
    { ...kinds[2], value: "s" },
    { ...kinds[3], client_secret: "s" },
  ]);
  expect(tlsOf(tlsRowOf(tls))).toEqual(tls);
  expect(tlsOf({ ...tlsRowOf(tls), client_key: "k" })).toEqual({ ...tls, client_key: "k" });
});

test("a secret is kept for the same credential at the same addresses alone", () => {
  const keeps = (over: Partial<typeof row>) => keepsSecret({ ...row, ...over }, base);
  const credential = (over: Partial<typeof row.credential>) => ({
    credential: { ...row.credential, ...over },
  });
  expect(keeps({})).toBe(true);
  expect(keeps({ url: "ws://a.example:80/elsewhere", others: [] })).toBe(true);
  expect(keeps(credential({ scope: "read write" }))).toBe(true);
  // What another kind left in the form is nobody's.
  expect(keeps(credential({ username: "left" }))).toBe(true);
  expect(keeps({ others: ["ws://b.example"] })).toBe(false);
  expect(keeps({ url: "ws://c.example" })).toBe(false);
  expect(keeps({ url: "ws://a.example:81" })).toBe(false);
  expect(keeps(credential({ client_id: "h" }))).toBe(false);
  expect(keeps(credential({ token_url: "https://other" }))).toBe(false);
  expect(keeps(credential({ kind: "basic" }))).toBe(false);
  expect(keepsSecret(row, null)).toBe(false);
});

test("the key is kept for the same certificate alone", () => {
  expect(keepsKey(row.tls, base)).toBe(true);
  expect(keepsKey({ ...row.tls, client_certificate: "another" }, base)).toBe(false);
  const bare = { ...base, tls: { ...tls, client_certificate: "" } };
  expect(keepsKey(tlsRowOf(bare.tls), bare)).toBe(false);
  expect(keepsKey(row.tls, undefined)).toBe(false);
});

test("a form that was saved has no secret", () => {
  const typed = {
    ...row,
    tls: { ...row.tls, client_key: "k" },
    credential: { ...row.credential, secret: "s" },
  };
  expect(withoutSecrets(typed)).toEqual(row);
});
