// Portal sessions: where one is signed in, signing out elsewhere, and an administrator who signs somebody out.
import { expect, test } from "./journey";

test("one signs out in another browser, and the next click there asks for the password", async ({ as }) => {
  const other = await as("creator", { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0" });
  await other.goto("/publisher");
  await expect(other.getByRole("heading", { name: "APIs" })).toBeVisible();
  const page = await as("creator");
  await page.goto("/publisher");
  await page.getByRole("button", { name: "Account of creator" }).click();
  await page.getByRole("menuitem", { name: "Portal sessions" }).click();
  const rows = page.getByRole("table", { name: "Portal sessions" }).getByRole("row");
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: "This one" })).toHaveCount(1);
  await expect(rows.filter({ hasText: "127.0.0.1" })).toHaveCount(2);
  await page.getByRole("button", { name: /^Sign out Firefox on Linux from/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Sign out" }).click();
  await expect(rows).toHaveCount(2);
  await other.reload();
  await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await page.reload();
  await expect(rows).toHaveCount(2);
});

test("an administrator signs somebody out everywhere", async ({ as }) => {
  const creator = await as("creator");
  await creator.goto("/publisher");
  await expect(creator.getByRole("heading", { name: "APIs" })).toBeVisible();
  const admin = await as("admin");
  await admin.goto("/admin/users?q=creat");
  await admin.getByRole("link", { name: "creator", exact: true }).click();
  await admin.getByRole("button", { name: "Sign out everywhere" }).click();
  const dialog = admin.getByRole("dialog");
  await expect(dialog.getByText("1 portal session ends at once.", { exact: false })).toBeVisible();
  await dialog.getByRole("button", { name: "Sign out" }).click();
  await expect(admin.getByText("Not signed in anywhere.")).toBeVisible();
  await creator.reload();
  await expect(creator.getByRole("heading", { name: "Sign in" })).toBeVisible();
});
