// A program asks a person in the browser: signing in, consent, and back to the program with a code that is worth tokens.
import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./journey";

/** The program's own page, where the browser comes back to. */
async function program(): Promise<{ address: string; server: Server }> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(
      `<!doctype html><html lang="en"><title>Shop</title><h1>Back at the shop</h1>${request.method}`,
    );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/cb`, server };
}

test("a person lets a program connect in their name, and it gets tokens", async ({ as, product, rest }) => {
  const { address, server } = await program();
  const developer = await rest("developer");
  const application = await developer.must("POST", "/applications", { name: "Shop" });
  const key = await developer.must("POST", `/applications/${application.id}/keys`, {
    type: "production",
    client_type: "browser",
  });

  // What the client is, its developer says in the portal.
  const own = await as("developer");
  await own.goto(`/devportal/applications/${application.id}/keys`);
  const card = own.getByRole("region", { name: "Production key" });
  await card.getByText("Client and tokens").click();
  await card.getByLabel("Authorization code").check();
  await card.getByLabel("Refresh token", { exact: true }).check();
  await card.getByLabel("Redirect addresses").fill("http://elsewhere.test/cb");
  await card.getByRole("button", { name: "Save client" }).click();
  await expect(card.getByText("Use https.", { exact: false }).first()).toBeVisible();
  await card.getByLabel("Redirect addresses").fill(address);
  await card.getByRole("button", { name: "Save client" }).click();
  await expect(card.getByText("Saved.")).toBeVisible();

  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: key.client_id,
    redirect_uri: address,
    scope: "openid profile",
    state: "state of the shop",
    nonce: "n",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const page = await as(null);
  await page.goto(`/oauth2/authorize?${query}`);
  await page.getByLabel("User name").fill("publisher");
  await page.getByLabel("Password", { exact: true }).fill(product.password("publisher"));
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Allow Shop?" })).toBeVisible();
  await expect(page.getByText("see your user name")).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.getByRole("button", { name: "Do not allow" }).click();
  await expect(page.getByRole("heading", { name: "Back at the shop" })).toBeVisible();
  expect(new URL(page.url()).searchParams.get("error")).toBe("access_denied");

  await page.goto(`/oauth2/authorize?${query}`);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Back at the shop" })).toBeVisible();
  const back = new URL(page.url()).searchParams;
  expect([back.get("state"), back.get("iss")]).toEqual(["state of the shop", product.addresses.portal]);
  const form = {
    grant_type: "authorization_code",
    client_id: key.client_id,
    redirect_uri: address,
    code: back.get("code") ?? "",
    code_verifier: verifier,
  };
  // The program is this page, of another origin: it asks for itself, with what browsers let it.
  const told = await page.evaluate(
    async ({ portal, form }) => {
      const metadata = await (await fetch(`${portal}/.well-known/openid-configuration`)).json();
      const keys = await (await fetch(metadata.jwks_uri)).json();
      const body = new URLSearchParams(form);
      const answer = await fetch(metadata.token_endpoint, { method: "POST", body });
      const tokens = await answer.json();
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      const info = await (await fetch(metadata.userinfo_endpoint, { headers })).json();
      const token = new URLSearchParams({ token: tokens.refresh_token, client_id: form.client_id });
      const ended = await fetch(metadata.revocation_endpoint, { method: "POST", body: token });
      const closed = async (address: string, init: RequestInit) =>
        fetch(address, init).then(
          () => "read",
          () => "refused",
        );
      return {
        keys: keys.keys.length > 0,
        status: answer.status,
        name: info.preferred_username,
        ended: ended.status,
        introspection: await closed(metadata.introspection_endpoint, { method: "POST", body: token }),
        rest: await closed(`${portal}/api/v1/settings`, {}),
        withCookies: await closed(metadata.userinfo_endpoint, { headers, credentials: "include" }),
      };
    },
    { portal: product.addresses.portal, form },
  );
  expect(told).toEqual({
    keys: true,
    status: 200,
    name: "publisher",
    ended: 200,
    introspection: "refused",
    rest: "refused",
    withCookies: "refused",
  });

  // Asked once, remembered from then on.
  await page.goto(`/oauth2/authorize?${query}`);
  await expect(page.getByRole("heading", { name: "Back at the shop" })).toBeVisible();
  server.close();
});

test("who has to choose a password first goes on to the program from there", async ({ as, rest }) => {
  const { address, server } = await program();
  const developer = await rest("developer");
  const application = await developer.must("POST", "/applications", { name: "Shop" });
  const key = await developer.must("POST", `/applications/${application.id}/keys`, {
    type: "production",
    client_type: "browser",
    grants: ["authorization_code"],
    redirect_uris: [address],
  });
  const admin = await rest("admin");
  const made = await admin.must("POST", "/users", { username: "ada", roles: ["observer"] });
  const query = new URLSearchParams({
    response_type: "code",
    client_id: key.client_id,
    redirect_uri: address,
    state: "s",
    code_challenge: createHash("sha256").update("v").digest("base64url"),
    code_challenge_method: "S256",
  });
  const page = await as(null);
  await page.goto(`/oauth2/authorize?${query}`);
  await page.getByLabel("User name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill(made.one_time_password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Present password", { exact: true }).fill(made.one_time_password);
  await page.getByLabel("New password", { exact: true }).fill("seven grey boats adrift");
  await page.getByLabel("New password, again", { exact: true }).fill("seven grey boats adrift");
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Back at the shop" })).toBeVisible();
  expect(new URL(page.url()).searchParams.get("code")).toMatch(/^tgc_/);
  server.close();
});
