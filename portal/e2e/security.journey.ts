// Security: what a creator accepts goes live, and what a developer makes for it opens a session.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deploysWith, expect, publishEcho, subscribed, test } from "./journey";

test("a creator accepts API keys and names a page, and a developer makes a key", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}`);
  await page.getByRole("link", { name: "Security" }).click();
  const query = page.getByRole("switch", { name: "Access token in the query" });
  const keys = page.getByRole("switch", { name: "API key in a header" });
  await expect(query).toBeChecked();
  await expect(keys).not.toBeChecked();
  await expect(query).toHaveAccessibleDescription(/others may write down.*Default on/);
  await query.uncheck();
  await keys.check();
  await page.getByLabel("Header of API keys").fill("X-Api-Key");
  await page.getByRole("button", { name: "Add an origin" }).click();
  const origin = page.getByLabel("Origin of origin 1");
  await origin.fill("https://Page.test/");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(origin).toHaveAccessibleDescription(/lower case/);
  await origin.fill("https://page.test");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
  await deploysWith(page, [
    "Security: header of API keys ApiKey X-Api-Key",
    "Security: origins none https://page.test",
  ]);

  const developer = await as("developer");
  await developer.goto(`/devportal/applications/${id}`);
  await developer.getByRole("link", { name: "API keys" }).click();
  await expect(developer.getByText("No API keys yet")).toBeVisible();
  await developer.getByLabel("What it is for").fill("Weather station");
  await developer.getByLabel("Addresses it may be used from").fill("nowhere");
  await developer.getByRole("button", { name: "Create API key" }).click();
  await expect(developer.getByText(/Write an address or a network/)).toBeVisible();
  await developer.getByLabel("Addresses it may be used from").fill("127.0.0.0/8\n::1");
  await developer.getByRole("button", { name: "Create API key" }).click();
  await expect(developer.getByText("Copy it now: it is shown this once")).toBeVisible();
  const row = developer.getByRole("row", { name: /Weather station tgk_.*127\.0\.0\.0\/8, ::1/ });
  await expect(row).toBeVisible();
  await row.getByRole("button", { name: "Delete Weather station" }).click();
  await developer.getByRole("button", { name: "Delete API key" }).click();
  await expect(row).toHaveCount(0);

  // The console's page is the portal's own, whatever pages the API names.
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  await developer.getByRole("button", { name: "Connect", exact: true }).click();
  const session = developer.getByRole("complementary", { name: "Session" });
  await expect(session.getByText("Open")).toBeVisible();
});

test("a creator accepts certificates, and a developer adds one and removes it", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/security`);
  const certificates = page.getByRole("switch", { name: "Certificate in TLS (mutual TLS)" });
  await expect(certificates).not.toBeChecked();
  await certificates.check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();

  const developer = await as("developer");
  await developer.goto(`/devportal/applications/${id}`);
  await developer.getByRole("link", { name: "Certificates" }).click();
  await expect(developer.getByText("No certificates yet")).toBeVisible();
  // The product has made one for itself: as good as any.
  const [certificate, key] = ["cert.pem", "key.pem"].map((name) =>
    readFileSync(join(product.folder, "tls", name), "utf8"),
  );
  const text = developer.getByLabel("Certificate", { exact: true });
  await developer.getByLabel("Whose it is").fill("Weather station");
  await text.fill(`${key}${certificate}`);
  await developer.getByRole("button", { name: "Add certificate" }).click();
  await expect(text).toHaveAccessibleDescription(/A private key is in this text/);
  await text.fill(certificate ?? "");
  await developer.getByRole("button", { name: "Add certificate" }).click();
  const row = developer.getByRole("row", { name: /Weather station CN=localhost .* Production .* Valid/ });
  await expect(row).toBeVisible();
  await expect(text).toHaveValue("");
  await developer.getByLabel("Whose it is").fill("Again");
  await text.fill(certificate ?? "");
  await developer.getByRole("button", { name: "Add certificate" }).click();
  await expect(text).toHaveAccessibleDescription(/has this certificate already/);
  await row.getByRole("button", { name: "Remove Weather station" }).click();
  await developer.getByRole("button", { name: "Remove certificate" }).click();
  await expect(row).toHaveCount(0);
});

test("a creator opens an API to whoever comes without a credential", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const api = await publishEcho(admin, product);
  const page = await as("creator");
  await page.goto(`/publisher/apis/${api.id}/security`);
  const open = page.getByRole("switch", { name: "No credential" });
  await expect(open).not.toBeChecked();
  await expect(open).toHaveAccessibleDescription(/500 messages a minute.*Default off/);
  await open.check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
  const before =
    "Access token in the Authorization header, Access token in the query, Access token as a subprotocol, One-time ticket";
  await deploysWith(page, [`Security: accepted credentials ${before} ${before}, No credential`]);
});
