// A program that has no client yet: it registers itself with `openid-client` by a registration token, goes through the flows
// of the client that it is then, and looks after its registration (RFC 7592), which the library leaves to its user. Then the
// same without a secret, with `oauth4webapi`. Says what came of each on a line.
import * as oauth from "oauth4webapi";
import * as client from "openid-client";
import { signedIn } from "./browser.mjs";

const { issuer, username, password, secret: initialAccessToken, redirect } = JSON.parse(process.argv[2]);
const visit = await signedIn(issuer, username, password);
const asked = {
  client_name: "Sensor",
  redirect_uris: [redirect],
  grant_types: ["client_credentials", "authorization_code", "refresh_token"],
  client_uri: "https://client.test/",
};
const register = (token) =>
  client.dynamicClientRegistration(new URL(issuer), asked, undefined, { initialAccessToken: token });
console.log("refused", await register("nonsense").then(() => "registered", (error) => error.status));
const config = await register(initialAccessToken);
const known = config.clientMetadata();
console.log("registered", known.client_name, known.token_endpoint_auth_method, known.client_secret_expires_at);

const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const to = client.buildAuthorizationUrl(config, {
  redirect_uri: redirect,
  scope: "openid profile",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, await visit(to), checks);
const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
console.log("code", tokens.scope, info.preferred_username);
console.log("refresh", (await client.refreshTokenGrant(config, tokens.refresh_token)).token_type);
const own = await client.clientCredentialsGrant(config);
console.log("client credentials", own.token_type);

// The registration as it is kept, changed as a whole, and what is no change of this client's.
const manage = async (method, body, token = known.registration_access_token) => {
  const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) };
  const answer = await fetch(known.registration_client_uri, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, ...(text ? JSON.parse(text) : {}) };
};
const read = await manage("GET");
console.log("read", read.status, read.client_id === known.client_id, read.client_secret ?? "no secret");
const { client_id, client_secret } = known;
const changed = await manage("PUT", { ...asked, client_id, client_secret, client_name: "Meter" });
console.log("changed", changed.status, changed.client_name);
console.log("not another", (await manage("PUT", { ...asked, client_id: "other" })).error);
console.log("not by another", (await manage("GET", undefined, initialAccessToken)).status);

const url = new URL(issuer);
const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url));
const page = { ...asked, client_name: "Page", token_endpoint_auth_method: "none", grant_types: ["authorization_code"] };
const answered = await oauth.dynamicClientRegistrationRequest(server, page, { initialAccessToken });
const registered = await oauth.processDynamicClientRegistrationResponse(answered);
console.log("page", registered.token_endpoint_auth_method, registered.client_secret ?? "no secret");
const again = await oauth.dynamicClientRegistrationRequest(server, { ...page, redirect_uris: ["http://a.test/"] }, { initialAccessToken });
console.log("page", await oauth.processDynamicClientRegistrationResponse(again).then(() => "registered", (error) => error.error));

// The test subscribes the application, and opens a session with this.
console.log("token", client_id, own.access_token, known.registration_access_token);
