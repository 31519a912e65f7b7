// Makes a key pair of each kind that clients sign with, and prints them as JSON Web Keys by algorithm: what a developer
// does once, with the private half kept to the program.
import { generateKeyPairSync } from "node:crypto";

const pair = (alg, kind, options) => {
  const jwk = (key) => ({ ...key.export({ format: "jwk" }), kid: `${alg} key`, alg, use: "sig" });
  const { publicKey, privateKey } = generateKeyPairSync(kind, options);
  return { public: jwk(publicKey), private: jwk(privateKey) };
};
console.log(
  JSON.stringify({
    ES256: pair("ES256", "ec", { namedCurve: "P-256" }),
    EdDSA: pair("EdDSA", "ed25519"),
    RS256: pair("RS256", "rsa", { modulusLength: 2048 }),
  }),
);
