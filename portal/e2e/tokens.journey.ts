// Personal access tokens: for some things only, chosen when they are made.
import { expect, test } from "./journey";

test("a token that is for reading APIs reads APIs and nothing else", async ({ as, product }) => {
  const page = await as("admin");
  await page.goto("/account/tokens");
  await page.getByLabel("What it is for").fill("a report");
  await page.getByRole("button", { name: "Create token" }).click();
  await expect(page.getByText("Choose what the token may read or change.")).toBeVisible();
  await page.getByRole("combobox", { name: "Resources" }).click();
  await page.getByRole("option", { name: "apis:read" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Create token" }).click();
  const token = (await page.getByRole("status").locator("code").first().textContent()) ?? "";
  const row = page
    .getByRole("table", { name: "Personal access tokens" })
    .getByRole("row", { name: /a report/ });
  await expect(row).toContainText("apis:read");
  await expect(row).toContainText("never");
  const call = (method: string, path: string) =>
    page.request.fetch(`${product.addresses.portal}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
  expect((await call("GET", "/apis")).status()).toBe(200);
  const refused = await call("GET", "/users");
  expect(refused.status()).toBe(403);
  expect((await refused.json()).detail).toContain("users:read");
  await page.reload();
  await expect(row).not.toContainText("never");
});

test("a token for everything is one that somebody chose to make so", async ({ as }) => {
  const page = await as("developer");
  await page.goto("/account/tokens");
  await page.getByLabel("What it is for").fill("a script");
  await page.getByRole("combobox", { name: "Resources" }).click();
  await expect(page.getByRole("option", { name: "applications:write" })).toBeVisible();
  await expect(page.getByRole("option", { name: "users:read" })).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.getByRole("radio", { name: "Everything that my roles allow" }).check();
  await expect(page.getByLabel("Resources")).toHaveCount(0);
  await page.getByRole("button", { name: "Create token" }).click();
  const tokens = page.getByRole("table", { name: "Personal access tokens" });
  await expect(tokens.getByRole("row", { name: /a script/ })).toContainText("everything");
});
