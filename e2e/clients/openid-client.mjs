// A full flow of `openid-client` as its documentation shows it: discovery, authorization code with PKCE, ID token,
// userinfo, refresh, introspection, revocation, signing out. Says what came of each on a line.
import * as client from "openid-client";
import { signedIn } from "./browser.mjs";

const { issuer, username, password, id, secret, redirect, bye } = JSON.parse(process.argv[2]);
const visit = await signedIn(issuer, username, password);
const config = await client.discovery(new URL(issuer), id, secret);
console.log("discovered", config.serverMetadata().issuer === issuer);

const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const to = client.buildAuthorizationUrl(config, {
  redirect_uri: redirect,
  scope: "openid profile",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
  max_age: "600",
});
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true, maxAge: 600 };
const back = await visit(to);
const tokens = await client.authorizationCodeGrant(config, back, checks);
const { sub } = tokens.claims();
console.log("code", tokens.token_type, tokens.scope);
const info = await client.fetchUserInfo(config, tokens.access_token, sub);
console.log("userinfo", info.preferred_username);

const next = await client.refreshTokenGrant(config, tokens.refresh_token);
console.log("refresh", next.claims().sub === sub, next.refresh_token !== tokens.refresh_token);
console.log("introspection", (await client.tokenIntrospection(config, next.access_token)).active);
await client.tokenRevocation(config, next.refresh_token);
console.log("revocation", (await client.tokenIntrospection(config, next.access_token)).active);

for (const again of [
  () => client.refreshTokenGrant(config, tokens.refresh_token),
  () => client.authorizationCodeGrant(config, back, checks),
]) {
  console.log("again", await again().then(() => "granted", (error) => error.error));
}
const own = await client.clientCredentialsGrant(config);
console.log("client credentials", own.token_type, own.refresh_token ?? "none");
const out = client.buildEndSessionUrl(config, { id_token_hint: next.id_token, post_logout_redirect_uri: bye, state: "s" });
console.log("signed out", (await visit(out)).href);
