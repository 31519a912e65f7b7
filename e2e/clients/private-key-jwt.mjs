// A client without a secret that signs with a key of its own (`private_key_jwt`), through `openid-client` as its
// documentation shows it: a token, introspection, revocation. Then what a thief could do: with another key of the same
// name, and with a statement that was overheard. Says what came of each on a line.
import * as client from "openid-client";

const { issuer, id, secret } = JSON.parse(process.argv[2]);
const own = JSON.parse(secret);
const algorithms = {
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  EdDSA: { name: "Ed25519" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
};
const algorithm = algorithms[own.alg];
const signer = async (key) => client.discovery(new URL(issuer), id, undefined, client.PrivateKeyJwt({ key, kid: own.kid }));

const key = await crypto.subtle.importKey("jwk", { ...own, alg: undefined }, algorithm, false, ["sign"]);
const config = await signer(key);
const advertised = config.serverMetadata().token_endpoint_auth_methods_supported.includes("private_key_jwt");
console.log("advertised", advertised, config.serverMetadata().token_endpoint_auth_signing_alg_values_supported.includes(own.alg));
let overheard;
config[client.customFetch] = (address, options) => {
  overheard = [address, options];
  return fetch(address, options);
};
const granted = await client.clientCredentialsGrant(config);
console.log("client credentials", granted.token_type);
const again = await fetch(...overheard);
console.log("overheard", again.status, (await again.json()).error);
console.log("introspection", (await client.tokenIntrospection(config, granted.access_token)).client_id === id);
await client.tokenRevocation(config, granted.access_token);
console.log("revocation", (await client.tokenIntrospection(config, granted.access_token)).active);

const { privateKey } = await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"]);
const thief = await signer(privateKey);
console.log("thief", await client.clientCredentialsGrant(thief).then(() => "granted", (error) => error.status));
