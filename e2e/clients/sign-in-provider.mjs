// An issuer of other hands (`oidc-provider`) by which people sign in to the portals, in a browser.
//
//   node sign-in-provider.mjs     prints its address, then the id and secret of each of its two clients; each line of its
//                                 input is a redirect address that both have from then on, and is answered with it. Ends
//                                 with its input.
//
// Whatever name somebody types at its sign-in page is who they are, with any password. Who is called `…-boss` is in the
// group `bosses`; everybody is in `staff`. The name and groups are told at the userinfo endpoint alone.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const clients = ["tidegate", "somebody-else"].map((id) => ({ id, secret: randomBytes(16).toString("hex") }));

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: randomBytes(8).toString("hex"), alg: "RS256", use: "sig" };

function provider(issuer, redirect_uris) {
  const made = new Provider(issuer, {
    clients: clients.map(({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ["authorization_code"],
      response_types: ["code"],
      redirect_uris,
    })),
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    scopes: ["openid", "profile"],
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        preferred_username: sub,
        groups: sub.endsWith("-boss") ? ["staff", "bosses"] : ["staff"],
      }),
    }),
  });
  return made.callback();
}

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer, ["https://nowhere.example/callback"]);
  console.log(`issuer: ${issuer} ${clients.map(({ id, secret }) => `${id} ${secret}`).join(" ")}`);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (redirect) => {
    answer = provider(issuer, [redirect]);
    console.log(`redirect: ${redirect}`);
  });
  lines.on("close", () => process.exit());
});
