// Secrets of an endpoint only go in: no page, address or storage of the browser has them once they are saved.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { Backend } from "./backend";
import { deploysWith, expect, openSettings, publishEcho, subscribed, test, unfold } from "./journey";

/** Everything that a page shows or keeps: its text, its fields, its address, what the browser stores for it. */
const everything = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const fields = [...document.querySelectorAll("input, textarea")].map(
      (field) => (field as HTMLInputElement).value,
    );
    return [
      document.documentElement.outerHTML,
      ...fields,
      location.href,
      JSON.stringify(history.state),
      JSON.stringify(localStorage),
      JSON.stringify(sessionStorage),
      document.cookie,
    ].join("\n");
  });

async function saveFrom(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
}

test("a credential is given once, kept, and asked for again where it would go elsewhere", async ({
  as,
  product,
  rest,
}) => {
  const SECRET = "correct horse battery staple";
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const page = await as("creator");
  const endpoints = `/publisher/apis/${api.id}/endpoints`;
  await page.goto(endpoints);
  let drawer = await openSettings(page);
  let credential = await unfold(drawer, "Credential for the backend");
  await expect(credential.getByRole("radio", { name: "None" })).toBeChecked();
  await credential.getByRole("radio", { name: "User name and password" }).check();
  const password = page.getByLabel("Password", { exact: true });
  await expect(password).toHaveAttribute("type", "password");
  await expect(password).toHaveAccessibleDescription(/A new address \(scheme, host or port\) or user name/);
  await credential.getByLabel("User name", { exact: true }).fill("gateway");
  // Without its secret it is none.
  await page.getByRole("button", { name: "Done" }).click();
  const unsaved = page.getByText("A test uses the saved credential and TLS settings.");
  await expect(unsaved).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(password).toHaveAccessibleDescription(/Enter the password\./);
  await password.fill(SECRET);
  await saveFrom(page);
  await expect(unsaved).toBeHidden();
  expect(await everything(page)).not.toContain(SECRET);
  await deploysWith(page, [
    "Production endpoint: credential None User name and password",
    "Production endpoint: user or header of the credential nothing gateway",
    "Production endpoint: secret of the credential nothing set",
  ]);

  await page.goto(endpoints);
  drawer = await openSettings(page);
  await expect(drawer.getByText("User name and password: gateway")).toBeVisible();
  credential = await unfold(drawer, "Credential for the backend");
  await expect(password).toHaveValue("");
  await expect(password).toHaveAttribute("placeholder", "A password is kept");
  await expect(password).toHaveAccessibleDescription(
    /A password is kept and never shown\. Empty: it stays\./,
  );
  expect(await everything(page)).not.toContain(SECRET);

  // Another setting saves without it.
  const timeouts = await unfold(drawer, "Timeouts");
  await timeouts.getByLabel("Connect timeout").fill("3000");
  await saveFrom(page);
  await deploysWith(page, ["Production endpoint: connect timeout 5 s 3 s"]);

  // Another user is another credential.
  drawer = await openSettings(page);
  credential = await unfold(drawer, "Credential for the backend");
  await credential.getByLabel("User name", { exact: true }).fill("another");
  await expect(password).toHaveAttribute("placeholder", "");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(password).toHaveAccessibleDescription(/Enter the password\./);
  await password.fill(`${SECRET} anew`);
  await saveFrom(page);
  expect(await everything(page)).not.toContain(SECRET);
  await deploysWith(page, [
    "Production endpoint: user or header of the credential gateway another",
    "Production endpoint: secret of the credential set set anew",
  ]);

  // So is another address: nobody can have it sent to a machine of theirs.
  await page.getByLabel("Production endpoint", { exact: true }).fill("ws://127.0.0.1:1");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(password).toHaveAccessibleDescription(/Enter the password\./);
});

test("a client certificate keeps its key, and an unchecked backend is warned of", async ({
  as,
  product,
  rest,
}) => {
  const read = (name: string) => readFileSync(join(product.folder, name), "utf8");
  const [certificate, key] = [read("tls/cert.pem"), read("tls/key.pem")];
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("creator");
  const endpoints = `/publisher/apis/${api.id}/endpoints`;
  await page.goto(endpoints);
  let drawer = await openSettings(page);
  let trust = await unfold(drawer, "TLS with the backend");
  const warning = trust.getByText("Anybody between gateway and backend can read and change everything");
  await expect(warning).toHaveCount(0);
  await trust.getByRole("switch", { name: "Check the backend's certificate" }).click();
  await expect(warning).toBeVisible();
  await trust.getByLabel("Own authorities").fill(certificate);
  await trust.getByLabel("Name in the certificate").fill("backend.example.com");
  await trust.getByLabel("Client certificate", { exact: true }).fill(certificate);
  await trust.getByLabel("Key of the client certificate").fill(key);
  await saveFrom(page);
  const line = key.split("\n")[1] ?? "";
  expect(line.length).toBeGreaterThan(20);
  expect(await everything(page)).not.toContain(line);
  const end = certificate
    .replace(/-----END.*/s, "")
    .replace(/[\s=]/g, "")
    .slice(-8);
  await deploysWith(page, [
    "Production endpoint: check of the backend's certificate on off",
    `Production endpoint: own authorities those of the gateway's machine 1 certificate, ending in …${end}`,
    "Production endpoint: name in the backend's certificate the address's host backend.example.com",
    `Production endpoint: client certificate nothing 1 certificate, ending in …${end}`,
    "Production endpoint: key of the client certificate nothing set",
  ]);
  await page.goto(endpoints);
  drawer = await openSettings(page);
  trust = await unfold(drawer, "TLS with the backend");
  const kept = trust.getByLabel("Key of the client certificate");
  await expect(kept).toHaveValue("");
  await expect(kept).toHaveAttribute("placeholder", "A key is kept");
  expect(await everything(page)).not.toContain(line);
});

test("the backend gets the credential that its endpoint has, and never the client's", async ({
  as,
  product,
  rest,
}) => {
  const SECRET = "correct horse battery staple";
  const backend = await Backend.start(() => {});
  const production = { url: backend.url };
  const api = await publishEcho(await rest("admin"), product, { endpoints: { production } });
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  const credential = await unfold(await openSettings(page), "Credential for the backend");
  await credential.getByRole("radio", { name: "A header of its own" }).check();
  await expect(credential.getByText("anybody in between can read it")).toBeVisible();
  await credential.getByLabel("Header", { exact: true }).fill("X-Api-Key");
  await credential.getByLabel("Value", { exact: true }).fill(SECRET);
  await saveFrom(page);
  await deploysWith(page, ["Production endpoint: credential None A header of its own"]);
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(developer.getByRole("complementary", { name: "Session" }).getByText("Open")).toBeVisible();
  const [asked] = backend.asked;
  expect(asked?.headers["x-api-key"]).toBe(SECRET);
  expect(asked?.headers.authorization).toBeUndefined();
  expect(await everything(developer)).not.toContain(SECRET);
  backend.stop();
});
