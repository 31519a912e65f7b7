// Deny rules: an administrator keeps a program out while it is connected, lets it in again, and is told what no rule is.
import { expect, publishEcho, subscribed, test } from "./journey";

test("a program is kept out at once, let in again, and a range is explained", async ({
  as,
  product,
  rest,
}) => {
  const api = await publishEcho(await rest("admin"), product);
  const { id } = await subscribed(await rest("developer"), api.id);
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}/console?application=${id}`);
  const connect = developer.getByRole("button", { name: "Connect", exact: true });
  const session = developer.getByRole("complementary", { name: "Session" });
  await connect.click();
  await expect(session.getByText("Open")).toBeVisible();

  const admin = await as("admin");
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Deny rules" }).click();
  await expect(admin.getByText("Nobody is denied")).toBeVisible();
  await admin.getByRole("button", { name: "Create deny rule" }).click();
  const making = admin.getByRole("dialog", { name: "Create deny rule" });
  await making.getByRole("button", { name: "Create deny rule" }).click();
  await expect(making.getByText("Say whom the rule is about.")).toBeVisible();
  await making.getByLabel("Deny", { exact: true }).selectOption("application");
  await making.getByLabel("Application", { exact: false }).selectOption({ label: "Shop of developer" });
  await making.getByLabel("Reason").fill("It sends spam.");
  await making.getByRole("button", { name: "Create deny rule" }).click();
  const row = admin.getByRole("row", { name: /Application Shop It sends spam\. .* by admin/ });
  await expect(row).toBeVisible();
  await expect(session.getByText("3003").first()).toBeVisible();

  const enabled = admin.getByRole("switch", { name: "Enabled: Application Shop" });
  await enabled.click();
  await expect(enabled).not.toBeChecked();
  await connect.click();
  await expect(session.getByText("Open")).toBeVisible();

  await row.getByRole("button", { name: "Change: Application Shop" }).click();
  const changing = admin.getByRole("dialog", { name: "Change deny rule" });
  await changing.getByLabel("Deny", { exact: true }).selectOption("range");
  const range = changing.getByLabel("Range", { exact: false }).first();
  await range.fill("10.0.0.0/33");
  await changing.getByRole("button", { name: "Save deny rule" }).click();
  await expect(
    changing.getByText("Write a range like 203.0.113.0/24 or 2001:db8::/32.").first(),
  ).toBeVisible();
  await range.fill("10.9.9.9/8");
  await changing.getByLabel("Deny everybody but these").check();
  await changing.getByRole("button", { name: "Save deny rule" }).click();
  const turned = admin.getByRole("row", { name: /All but range of addresses 10\.0\.0\.0\/8/ });
  await expect(turned).toBeVisible();
  await turned.getByRole("button", { name: /^Delete/ }).click();
  await admin.getByRole("button", { name: "Delete rule" }).click();
  await expect(admin.getByText("Nobody is denied")).toBeVisible();
});
