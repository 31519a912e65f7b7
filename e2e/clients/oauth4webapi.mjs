// The same flow with `oauth4webapi`, which checks every answer against its RFC: a public client, PKCE, `iss` (RFC
// 9207), the signature of the ID token, refresh, revocation. Says what came of each on a line.
import * as oauth from "oauth4webapi";
import { signedIn } from "./browser.mjs";

const { issuer, username, password, id, redirect } = JSON.parse(process.argv[2]);
const visit = await signedIn(issuer, username, password);
const url = new URL(issuer);
const metadata = [];
for (const algorithm of ["oidc", "oauth2"]) {
  metadata.push(await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm })));
}
const [server] = metadata;
console.log("discovered", metadata.length);
const client = { client_id: id };
const proof = oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
const to = new URL(server.authorization_endpoint);
to.search = new URLSearchParams({
  response_type: "code",
  client_id: id,
  redirect_uri: redirect,
  scope: "openid",
  state,
  nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const parameters = oauth.validateAuthResponse(server, client, await visit(to), state);
const answer = await oauth.authorizationCodeGrantRequest(server, client, proof, parameters, redirect, verifier);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(server, answer);
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
console.log("code", tokens.token_type, tokens.scope);

const info = await oauth.userInfoRequest(server, client, tokens.access_token);
console.log("userinfo", (await oauth.processUserInfoResponse(server, client, sub, info)).sub === sub);
const renewed = await oauth.refreshTokenGrantRequest(server, client, proof, tokens.refresh_token);
const next = await oauth.processRefreshTokenResponse(server, client, renewed);
console.log("refresh", next.token_type);
const revoked = await oauth.revocationRequest(server, client, proof, next.refresh_token);
await oauth.processRevocationResponse(revoked);
const late = await oauth.refreshTokenGrantRequest(server, client, proof, next.refresh_token);
console.log("late", await oauth.processRefreshTokenResponse(server, client, late).then(() => "granted", (error) => error.error));

const refused = await visit(new URL(`${to}&prompt=none&response_mode=query&max_age=0`)).catch((error) => error);
try {
  oauth.validateAuthResponse(server, client, refused, state);
} catch (error) {
  console.log("refused", error.error);
}
