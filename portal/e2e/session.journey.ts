// Coming, going, and being gone too long.
import { expect, publishEcho, test } from "./journey";

test("a wrong password is told beside its field, and too many are slowed down", async ({ as }) => {
  const page = await as(null);
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Enter your user name.")).toBeVisible();
  await page.getByLabel("User name").fill("admin");
  const password = page.getByLabel("Password", { exact: true });
  await password.fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(password).toHaveAttribute("aria-invalid", "true");
  await expect(password).toBeFocused();
  await expect(page.getByLabel("User name")).toHaveValue("admin");
  const throttled = page.getByText("Too many tries", { exact: true });
  await expect(async () => {
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(throttled).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(page.getByText(/Try again in \d+ seconds?\./)).toBeVisible();
});

test("who signs out is nobody again", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as("admin");
  await page.goto(`/publisher/apis/${api.id}`);
  await page.getByRole("button", { name: "Account of admin" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "WebSocket APIs, managed" })).toBeVisible();
  expect((await page.request.get("/api/v1/apis")).status()).toBe(401);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("a link that needs a sign-in leads back to where it pointed", async ({ as, product, rest }) => {
  const api = await publishEcho(await rest("admin"), product);
  const page = await as(null);
  await page.goto(`/publisher/apis/${api.id}/endpoints`);
  await page.getByLabel("User name").fill("creator");
  await page.getByLabel("Password", { exact: true }).fill(product.password("creator"));
  await page.getByLabel("Password", { exact: true }).press("Enter");
  await expect(page.getByLabel("Production endpoint", { exact: true })).toHaveValue(product.addresses.echo);
  expect(new URL(page.url()).pathname).toBe(`/publisher/apis/${api.id}/endpoints`);
});

test("a session that ends asks for the password over the page, and what was typed is still there", async ({
  as,
  product,
}) => {
  const page = await as("admin");
  await page.goto("/publisher/apis/new/websocket");
  await page.getByLabel("Name").fill("Orders");
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Your session ended" });
  await expect(page.getByText("Sign in first")).toHaveCount(1);
  await expect(dialog.getByLabel("User name")).toHaveValue("admin");
  await dialog.getByLabel("Password", { exact: true }).fill(product.password("admin"));
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByLabel("Name")).toHaveValue("Orders");
  await expect(page.getByText("Sign in first")).toHaveCount(0);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Orders" })).toBeVisible();
});
