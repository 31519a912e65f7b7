// A device without a browser, through `openid-client` as its documentation shows it: it begins, asks again and again
// while a person decides on another screen, and gets tokens, or hears that it was not allowed. Says what came of each.
import * as client from "openid-client";
import { signedIn } from "./browser.mjs";

const { issuer, username, password, id } = JSON.parse(process.argv[2]);
const visit = await signedIn(issuer, username, password);
const config = await client.discovery(new URL(issuer), id, undefined, client.None());
const waiting = [];
config[client.customFetch] = async (address, options) => {
  const answer = await fetch(address, options);
  if (answer.status === 400) waiting.push((await answer.clone().json()).error);
  return answer;
};

const begun = await client.initiateDeviceAuthorization(config, { scope: "openid profile" });
console.log("begun", /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/.test(begun.user_code), begun.verification_uri === `${issuer}/device`);
const polling = client.pollDeviceAuthorizationGrant(config, begun);
while (waiting.length === 0) await new Promise((done) => setTimeout(done, 50));
console.log("person", await visit.decide(begun.verification_uri, begun.user_code, "allow"));
const tokens = await polling;
console.log("waited", waiting.join(" "));
console.log("tokens", tokens.token_type, tokens.scope, tokens.claims().preferred_username);
const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
console.log("userinfo", info.preferred_username);
console.log("refresh", (await client.refreshTokenGrant(config, tokens.refresh_token)).token_type);

const again = await client.initiateDeviceAuthorization(config, {});
console.log("person", await visit.decide(again.verification_uri, again.user_code.toLowerCase(), "deny"));
const refused = await client.pollDeviceAuthorizationGrant(config, again).then(() => "granted", (error) => error.error);
console.log("denied", refused);
