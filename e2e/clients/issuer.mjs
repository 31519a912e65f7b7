// An authorization server of other hands (`oidc-provider`), which one client may ask for tokens.
//
//   node issuer.mjs [PORT]     prints its address and the id and secret of its client; each line of its input makes it
//                              sign with a new key from then on, publishing the old ones too, and is answered with the
//                              new key's id. Ends with its input. The same port gives the same issuer.
//
// Tokens for https://gateway.example are JWTs, those for https://opaque.example are not.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const CLIENT = { id: "their-client", secret: randomBytes(16).toString("hex") };
const keys = [];

function newKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = randomBytes(8).toString("hex");
  keys.unshift({ ...privateKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" });
  return kid;
}

const serverOf = (audience, accessTokenFormat) => ({
  scope: "read write",
  audience,
  accessTokenTTL: 600,
  accessTokenFormat,
  ...(accessTokenFormat === "jwt" && { jwt: { sign: { alg: "RS256" } } }),
});

function provider(issuer) {
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
      },
    ],
    scopes: ["read", "write"],
    jwks: { keys },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://gateway.example",
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource) =>
          serverOf(resource, resource === "https://opaque.example" ? "opaque" : "jwt"),
      },
    },
  });
  return made.callback();
}

newKey();
let answer;
// Tokens that were given out must be known after a change of keys: they are in this process, in the memory of each
// provider, so opaque ones are only asked about before the first change.
const server = createServer((request, response) => answer(request, response));
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer);
  console.log(`issuer: ${issuer} ${CLIENT.id} ${CLIENT.secret}`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", () => {
    const kid = newKey();
    answer = provider(issuer);
    console.log(`new key: ${kid}`);
  });
  lines.on("close", () => process.exit());
});
