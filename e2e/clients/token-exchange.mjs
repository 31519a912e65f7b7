// A service that exchanges a person's token for one of its own, through `openid-client`'s request for any grant: the page's
// client gets the person's token by code, the service exchanges it, and the token that it came of is handed back. Says what
// came of each on a line.
import * as client from "openid-client";
import { signedIn } from "./browser.mjs";

const { issuer, username, password, id, secret, redirect } = JSON.parse(process.argv[2]);
const { own, service } = JSON.parse(secret);
const visit = await signedIn(issuer, username, password);
const page = await client.discovery(new URL(issuer), id, own);
const verifier = client.randomPKCECodeVerifier();
const to = client.buildAuthorizationUrl(page, {
  redirect_uri: redirect,
  scope: "openid",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const tokens = await client.authorizationCodeGrant(page, await visit(to), { pkceCodeVerifier: verifier });

const config = await client.discovery(new URL(issuer), service.id, service.secret);
const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
console.log("advertised", config.serverMetadata().grant_types_supported.includes(grant));
const type = "urn:ietf:params:oauth:token-type:access_token";
const exchange = (token, more = {}) =>
  client.genericGrantRequest(config, grant, { subject_token: token, subject_token_type: type, ...more });
const exchanged = await exchange(tokens.access_token);
console.log("exchanged", exchanged.token_type, exchanged.issued_token_type === type, exchanged.refresh_token ?? "none");
const told = await client.tokenIntrospection(config, exchanged.access_token);
console.log("introspection", told.active, told.sub === tokens.claims().sub, told.client_id === service.id);
for (const [token, more] of [
  [exchanged.access_token, {}],
  [tokens.id_token, {}],
  [tokens.access_token, { audience: "https://elsewhere.example" }],
  [tokens.access_token, { scope: "openid" }],
  [tokens.access_token, { actor_token: exchanged.access_token, actor_token_type: type }],
]) {
  console.log("refused", await exchange(token, more).then(() => "granted", (error) => error.error));
}
await client.tokenRevocation(page, tokens.access_token);
console.log("revocation", (await client.tokenIntrospection(config, exchanged.access_token)).active);
console.log("refused", await exchange(tokens.access_token).then(() => "granted", (error) => error.error));
