// A program keeps a key of its own: its developer gives the public half, and from then on no secret opens anything.
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { expect, test } from "./journey";

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** What the program signs for one request (RFC 7523). */
function statement(id: string, issuer: string, key: KeyObject): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: id, sub: id, aud: issuer, iat: now, exp: now + 60, jti: randomUUID() };
  const message = `${part({ alg: "ES256", kid: "first" })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(message), { key, dsaEncoding: "ieee-p1363" });
  return `${message}.${signature.toString("base64url")}`;
}

test("a developer gives a program's public key, and its signature replaces the secret", async ({
  as,
  product,
  rest,
}) => {
  const developer = await rest("developer");
  const application = await developer.must("POST", "/applications", { name: "Signer" });
  const path = `/applications/${application.id}/keys`;
  const { client_id, client_secret } = await developer.must("POST", path, { type: "production" });
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const set = (key: KeyObject) =>
    JSON.stringify({ keys: [{ ...key.export({ format: "jwk" }), kid: "first" }] });

  const page = await as("developer");
  await page.goto(`/devportal/applications/${application.id}/keys`);
  const card = page.getByRole("region", { name: "Production key" });
  await expect(card.getByText("How a program gets its own token")).toBeVisible();
  await card.getByText("Client and tokens").click();
  await card.getByLabel("It proves itself with").selectOption("private_key_jwt");
  const keys = card.getByLabel("Public keys (JWKS)");
  const save = card.getByRole("button", { name: "Save client" });
  await keys.fill("-----BEGIN PUBLIC KEY-----");
  await save.click();
  await expect(card.getByText("This is not a JSON Web Key Set.")).toBeVisible();
  await keys.fill(set(privateKey));
  await save.click();
  await expect(card.getByText("A key in the set is a private one.", { exact: false }).first()).toBeVisible();
  await keys.fill(set(publicKey));
  await save.click();
  await expect(card.getByText("Saved.")).toBeVisible();
  // What only a secret is good for is gone with it.
  await expect(card.getByRole("button", { name: "Make a new secret" })).toHaveCount(0);
  await expect(card.getByText("How a program gets its own token")).toHaveCount(0);

  const ask = (form: Record<string, string>) =>
    page.request.post("/oauth2/token", { form: { grant_type: "client_credentials", ...form } });
  const refused = await ask({ client_id, client_secret });
  expect([refused.status(), (await refused.json()).error]).toEqual([401, "invalid_client"]);
  const granted = await ask({
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: statement(client_id, product.addresses.portal, privateKey),
  });
  expect([granted.status(), (await granted.json()).token_type]).toEqual([200, "Bearer"]);
});
