// The audit log: what somebody changed and who tried to sign in, found by filter, with before and after.
import { expect, test } from "./journey";

test("an administrator finds who changed a user, and how they were before", async ({ as, product, rest }) => {
  const admin = await rest("admin");
  const ada = await admin.must("POST", "/users", { username: "ada", roles: ["creator"] });
  const { etag } = await admin.call("GET", `/users/${ada.id}`);
  await admin.call("PUT", `/users/${ada.id}`, { roles: ["creator", "publisher"], state: "active" }, etag);
  const page = await as("admin");
  const wrong = { username: "ada", password: "wrong" };
  expect((await page.request.post("/api/v1/session", { data: wrong })).status()).toBe(401);

  await page.goto("/admin");
  await page
    .getByRole("navigation", { name: "Pages of the admin portal" })
    .getByRole("link", { name: "Audit log" })
    .click();
  await expect(page.getByRole("heading", { name: "Audit log" })).toBeVisible();
  const filter = page.getByRole("form", { name: "Filter" });
  await filter.getByLabel("About").selectOption("Users");
  await filter.getByLabel("By whom").fill("admin");
  await filter.getByLabel("What").fill("ada");
  await filter.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page).toHaveURL(/kind=user/);
  const rows = page.getByRole("table", { name: "Audit log" }).getByRole("row");
  await expect(rows).toHaveCount(3);
  const changed = rows.filter({ hasText: "changed a user" });
  await expect(changed).toContainText("127.0.0.1");
  await changed.getByRole("button", { name: /^Details of entry/ }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("row", { name: /^roles/ })).toContainText('["creator","publisher"]');
  await dialog.getByRole("button", { name: "Close" }).click();

  await filter.getByRole("button", { name: "Show everything" }).click();
  await filter.getByLabel("About").selectOption("Sign-ins");
  await filter.getByRole("button", { name: "Show", exact: true }).click();
  await expect(rows.filter({ hasText: "failed to sign in: wrong password" })).toContainText("ada");
  await filter.getByLabel("By whom").fill("nobody-of-this-name");
  await filter.getByRole("button", { name: "Show", exact: true }).click();
  await expect(page.getByText("No such entry")).toBeVisible();
  // The filter is in the address.
  await page.reload();
  await expect(filter.getByLabel("By whom")).toHaveValue("nobody-of-this-name");
  await page.goto(`${product.addresses.portal}/admin/audit?kind=user&by=admin`);
  await expect(rows.filter({ hasText: "created" })).toContainText("ada");
});
