// Users: made by an administrator, signing in for the first time, disabled while they work, and deleted.
import { expect, Rest, test } from "./journey";

test("a new user chooses a password of their own before anything else", async ({ as }) => {
  const admin = await as("admin");
  await admin.goto("/admin/users");
  await admin.getByRole("button", { name: "Create user" }).click();
  const dialog = admin.getByRole("dialog", { name: "Create user" });
  await dialog.getByLabel("User name").fill("ada<b>");
  await dialog.getByRole("button", { name: "Create user" }).click();
  await expect(dialog.getByText("A user name cannot contain “<”", { exact: false })).toBeVisible();
  await dialog.getByLabel("User name").fill("ada");
  await dialog.getByRole("checkbox", { name: "Creator" }).check();
  await dialog.getByRole("checkbox", { name: "Subscriber" }).uncheck();
  await dialog.getByRole("button", { name: "Create user" }).click();
  const shown = dialog.getByRole("status");
  await expect(shown).toContainText("Tell ada this password. It is shown this once.");
  const password = (await shown.locator("code").first().textContent()) ?? "";
  expect(password).toMatch(/^[0-9a-z]{4}(-[0-9a-z]{4}){4}$/);

  const ada = await as(null);
  await ada.goto("/sign-in?to=/publisher");
  await ada.getByLabel("User name").fill("ada");
  await ada.getByLabel("Password", { exact: true }).fill(password);
  await ada.getByRole("button", { name: "Sign in" }).click();
  await expect(ada.getByText("Choose a password of your own")).toBeVisible();
  await ada.goto("/publisher?q=echo");
  await expect(ada.getByText("Choose a password of your own")).toBeVisible();
  await ada.getByLabel("Present password", { exact: true }).fill(password);
  await ada.getByLabel("New password", { exact: true }).fill("password12345");
  await ada.getByLabel("New password, again", { exact: true }).fill("password12345");
  await ada.getByRole("button", { name: "Change password" }).click();
  await expect(ada.getByText("among the first that are guessed", { exact: false })).toBeVisible();
  await ada.getByLabel("New password", { exact: true }).fill("seven grey boats adrift");
  await ada.getByLabel("New password, again", { exact: true }).fill("seven grey boats adrift");
  await ada.getByRole("button", { name: "Change password" }).click();
  await expect(ada.getByRole("heading", { name: "APIs" })).toBeVisible();
  expect(ada.url()).toMatch(/\/publisher\?q=echo$/);
});

test("who is disabled is out at once, and back when enabled", async ({ as, product }) => {
  const creator = await as("creator");
  await creator.goto("/publisher");
  await expect(creator.getByRole("heading", { name: "APIs" })).toBeVisible();
  const admin = await as("admin");
  await admin.goto("/admin/users?q=creat");
  await admin.getByRole("link", { name: "creator", exact: true }).click();
  await admin.getByRole("button", { name: "Disable" }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(admin.getByText("Disabled")).toBeVisible();
  await creator.reload();
  await expect(creator.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await admin.getByRole("button", { name: "Enable" }).click();
  await expect(admin.getByText("Active")).toBeVisible();
  await Rest.signIn(creator.context().request, product, "creator");
  await creator.goto("/publisher");
  await expect(creator.getByRole("heading", { name: "APIs" })).toBeVisible();
});

test("roles are changed, the last administrator stays, and applications go to an heir", async ({
  as,
  rest,
}) => {
  await (await rest("developer")).must("POST", "/applications", { name: "Shop" });
  const admin = await as("admin");
  await admin.goto("/admin/users");
  await admin.getByRole("link", { name: "admin", exact: true }).click();
  await admin.getByRole("checkbox", { name: "Admin" }).uncheck();
  await admin.getByRole("button", { name: "Save roles" }).click();
  await expect(admin.getByText("admin is the last administrator.", { exact: false })).toBeVisible();
  await admin.goto("/admin/users");
  await admin.getByRole("link", { name: "developer", exact: true }).click();
  await admin.getByRole("checkbox", { name: "Observer" }).check();
  await admin.getByRole("button", { name: "Save roles" }).click();
  await expect(admin.getByRole("button", { name: "Save roles" })).toBeDisabled();
  await expect(admin.getByRole("checkbox", { name: "Observer" })).toBeChecked();
  await admin.getByRole("button", { name: "Delete" }).click();
  const dialog = admin.getByRole("dialog");
  await dialog.getByRole("button", { name: "Delete user" }).click();
  await expect(dialog.getByText("Say who takes them over", { exact: false })).toBeVisible();
  await dialog.getByRole("combobox").selectOption({ label: "publisher" });
  await dialog.getByRole("button", { name: "Delete user" }).click();
  await expect(admin.getByRole("heading", { name: "Users" })).toBeVisible();
  await expect(admin.getByRole("link", { name: "developer", exact: true })).toHaveCount(0);
  const applications = await (await rest("admin")).must("GET", "/applications");
  expect(applications.items.find((item: { name: string }) => item.name === "Shop").owner).toBe("publisher");
});
