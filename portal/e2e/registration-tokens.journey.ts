// Registration tokens: an administrator makes one, a program registers with it, its owner sees where the application came
// from, and the token is taken back.
import AxeBuilder from "@axe-core/playwright";
import { expect, test } from "./journey";

test("a program registers by a token that an administrator made", async ({ as, product }) => {
  const admin = await as("admin");
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Registration tokens" }).click();
  await expect(admin.getByText("No program registers itself")).toBeVisible();
  await admin.getByRole("button", { name: "Create token" }).click();
  await expect(admin.getByText("Say what registers with it.")).toBeVisible();
  await admin.getByLabel("What registers with it").fill("Hall 3");
  await admin.getByLabel("Owner of the applications").fill("creator");
  await admin.getByRole("button", { name: "Create token" }).click();
  await expect(admin.getByText(/creator cannot have applications/).first()).toBeVisible();
  await admin.getByLabel("Owner of the applications").fill("developer");
  await admin.getByLabel("Clients that it registers").fill("2");
  await admin.getByRole("button", { name: "Create token" }).click();
  const token = (await admin.getByRole("status").locator("code").first().textContent()) ?? "";
  const row = admin.getByRole("table", { name: "Registration tokens" }).getByRole("row", { name: /Hall 3/ });
  await expect(row).toContainText("0 of 2");
  await expect(row).toContainText("never");
  expect((await new AxeBuilder({ page: admin }).analyze()).violations).toEqual([]);

  const registered = await admin.request.post(`${product.addresses.portal}/oauth2/register`, {
    headers: { authorization: `Bearer ${token}` },
    data: { client_name: "Sensor", grant_types: ["client_credentials"] },
  });
  expect(registered.status(), await registered.text()).toBe(201);

  const developer = await as("developer");
  await developer.goto("/devportal/applications");
  await developer.getByRole("link", { name: "Sensor" }).click();
  await expect(developer.getByText("It registered itself by “Hall 3”")).toBeVisible();

  await admin.reload();
  await expect(row).toContainText("1 of 2");
  await expect(row).not.toContainText("never");
  await expect(row).not.toContainText(token);
  await row.getByRole("button", { name: "Delete Hall 3" }).click();
  await admin.getByRole("button", { name: "Delete token" }).click();
  await expect(admin.getByText("No program registers itself")).toBeVisible();
  await developer.goto("/admin/registration-tokens");
  await expect(developer.getByRole("table", { name: "Registration tokens" })).toHaveCount(0);
});
