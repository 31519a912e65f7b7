// Another issuer, from the administrator's page to a developer's key and an API that takes its tokens, and back out.

import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, publishEcho, subscribed, test } from "./journey";

const SECRET = "canary-introspection-secret";

/** An issuer's two documents; the keys can be away. */
async function issuer(): Promise<{ url: string; away: (is: boolean) => void; server: Server }> {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "key-of-theirs", use: "sig" }] };
  let isAway = false;
  let url = "";
  const server = createServer((request, response) => {
    if (isAway) {
      response.writeHead(503).end();
      return;
    }
    const body = request.url === "/jwks" ? jwks : { issuer: url, jwks_uri: `${url}/jwks` };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    away: (is) => {
      isAway = is;
    },
    server,
  };
}

test("an issuer is added, its keys are shown, a client of it is provided, and an API takes its tokens", async ({
  as,
  product,
  rest,
}) => {
  const theirs = await issuer();
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const application = (await subscribed(await rest("developer"), api.id)).id;

  const page = await as("admin");
  await page.goto("/admin");
  await page.getByRole("link", { name: "Other issuers whose tokens are accepted" }).click();
  await expect(page.getByText("No key managers yet")).toBeVisible();
  await page.getByRole("button", { name: "Add a key manager" }).click();
  const form = page.getByRole("region", { name: "New key manager" });
  await form.getByRole("button", { name: "Add key manager" }).click();
  await expect(form.getByLabel("Audiences")).toHaveAccessibleDescription(/Enter at least one audience/);
  await form.getByLabel("Name").fill("Corporate");
  await form.getByLabel("Issuer", { exact: true }).fill(theirs.url);
  await form.getByLabel("Discovery document").fill("http://issuer.example/discovery");
  await form.getByLabel("Audiences").fill("tidegate");
  await form.getByRole("switch", { name: "Ask about opaque tokens" }).check();
  await form.getByLabel("Introspection address").fill(`${theirs.url}/introspect`);
  await form.getByLabel("Asks as the client").fill("gateway");
  await form.getByLabel("Secret of this client").fill(SECRET);
  await form.getByRole("button", { name: "Add key manager" }).click();
  await expect(form.getByLabel("Discovery document")).toHaveAccessibleDescription(/must begin with https/);
  await form.getByLabel("Discovery document").fill(`${theirs.url}/discovery`);
  await form.getByRole("button", { name: "Add key manager" }).click();
  const card = page.getByRole("region", { name: "Corporate" });
  await expect(card.getByText("key-of-theirs (ES256)")).toBeVisible();
  expect(await page.content()).not.toContain(SECRET);

  theirs.away(true);
  await card.getByRole("button", { name: "Fetch the keys of Corporate" }).click();
  await expect(card.getByText("those that are held stay in use")).toBeVisible();
  await expect(card.getByText("key-of-theirs (ES256)")).toBeVisible();
  theirs.away(false);
  await card.getByRole("button", { name: "Fetch the keys of Corporate" }).click();
  await expect(card.getByText("those that are held stay in use")).toBeHidden();

  const developer = await as("developer");
  await developer.goto(`/devportal/applications/${application}/keys`);
  const keys = developer.getByRole("region", { name: "Keys of other issuers" });
  await keys.getByLabel("Client id at the issuer").fill("their-client");
  await keys.getByRole("button", { name: "Provide key" }).click();
  await expect(keys.getByRole("cell", { name: "their-client", exact: true })).toBeVisible();
  await keys.getByRole("button", { name: "Withdraw their-client" }).click();
  await developer.getByRole("button", { name: "Withdraw key" }).click();
  await expect(keys.getByRole("cell", { name: "their-client", exact: true })).toBeHidden();

  const creator = await as("creator");
  await creator.goto(`/publisher/apis/${api.id}/security`);
  await creator.getByRole("switch", { name: "Tokens of every issuer" }).uncheck();
  await creator.getByRole("checkbox", { name: "The product itself" }).uncheck();
  await creator.getByRole("button", { name: "Save" }).click();
  await expect(creator.getByText("Saved to the working copy")).toBeVisible();
  expect((await admin.must("GET", `/apis/${api.id}`)).issuers).toEqual(["Corporate"]);

  await page.reload();
  await card.getByRole("button", { name: "Delete Corporate" }).click();
  await page.getByRole("button", { name: "Delete key manager" }).click();
  await expect(page.getByText("No key managers yet")).toBeVisible();
  theirs.server.close();
});
