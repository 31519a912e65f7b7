// An authorization server of other hands (`oidc-provider`), at which everybody is signed in as ada and agrees to what is
// asked: what the negatives of ours are tried on as well, so that the tests themselves are right.
//
//   node authorization-server.mjs REDIRECT     prints its address, the id and secret of each of its two clients, and the
//                                              token by which further ones register. Ends with its input.
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const redirect = process.argv[2];
const registrationToken = randomBytes(32).toString("hex");
const clients = ["first", "second"].map((name) => ({
  client_id: `client-${name}-${randomBytes(4).toString("hex")}`,
  client_secret: randomBytes(32).toString("hex"),
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  redirect_uris: [redirect],
  token_endpoint_auth_method: "client_secret_post",
}));

const registration = {
  registration: { enabled: true, initialAccessToken: registrationToken },
  registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
};

function provider(issuer) {
  return new Provider(issuer, {
    clients,
    scopes: ["openid", "profile"],
    claims: { openid: ["sub"], profile: ["name"] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    allowOmittingSingleRegisteredRedirectUri: false,
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: { devInteractions: { enabled: false }, revocation: { enabled: true }, introspection: { enabled: true }, ...registration },
  });
}

/** What a person would do with the page that is shown. */
async function interact(server, request, response) {
  const { prompt, params, session, grantId } = await server.interactionDetails(request, response);
  if (prompt.name === "login") {
    return server.interactionFinished(request, response, { login: { accountId: "ada" } });
  }
  const grant = grantId
    ? await server.Grant.find(grantId)
    : new server.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? "");
  const result = { consent: { grantId: await grant.save() } };
  return server.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

const http = createServer();
http.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${http.address().port}`;
  const server = provider(issuer);
  const callback = server.callback();
  http.on("request", (request, response) => {
    if (!request.url.startsWith("/interaction/")) return callback(request, response);
    return interact(server, request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  const said = clients.map((client) => `${client.client_id} ${client.client_secret}`);
  console.log(`server: ${issuer} ${said.join(" ")} ${registrationToken}`);
  process.stdin.resume().on("end", () => process.exit());
});
