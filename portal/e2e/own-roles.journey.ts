// Own roles: an administrator makes one, gives it, changes what it means while somebody works, and cannot delete it in use.
import { expect, test } from "./journey";

test("an own role lets somebody do what it means, at once, and stays while it is used", async ({
  as,
  rest,
}) => {
  const admin = await as("admin");
  await admin.goto("/admin");
  await admin.getByRole("link", { name: "Roles", exact: true }).click();
  await expect(admin.getByText("No roles of your own")).toBeVisible();
  await admin.getByRole("button", { name: "Create role" }).click();
  const making = admin.getByRole("dialog", { name: "Create role" });
  await making.getByRole("button", { name: "Create role" }).click();
  await expect(making.getByText("Enter a name.")).toBeVisible();
  await making.getByLabel("Name").fill("Release Team");
  await making.getByRole("button", { name: "Create role" }).click();
  await expect(making.getByText("Use small letters", { exact: false }).first()).toBeVisible();
  await making.getByLabel("Name").fill("release-team");
  await making.getByLabel("Description").fill("Ships on Thursdays.");
  await making.getByRole("checkbox", { name: "Publisher" }).check();
  await expect(making.getByRole("checkbox", { name: "Admin" })).toHaveCount(0);
  await making.getByRole("button", { name: "Create role" }).click();
  const row = admin.getByRole("row", { name: /release-team Ships on Thursdays\. Publisher/ });
  await expect(row).toBeVisible();

  // Given to somebody who could not see the publisher portal's pages before.
  await admin.goto("/admin/users");
  await admin.getByRole("link", { name: "developer", exact: true }).click();
  await admin.getByRole("checkbox", { name: "release-team" }).check();
  await admin.getByRole("button", { name: "Save roles" }).click();
  await expect(admin.getByRole("button", { name: "Save roles" })).toBeDisabled();
  const developer = await as("developer");
  await developer.goto("/publisher");
  await expect(developer.getByRole("heading", { name: "APIs" })).toBeVisible();
  await expect(developer.getByRole("button", { name: "Create API" })).toHaveCount(0);

  await admin.goto("/admin/roles");
  await admin.getByRole("button", { name: "Change release-team" }).click();
  const changing = admin.getByRole("dialog", { name: "Change release-team" });
  await changing.getByRole("checkbox", { name: "Creator" }).check();
  await changing.getByRole("button", { name: "Save role" }).click();
  await expect(admin.getByRole("row", { name: /release-team .* Creator, Publisher/ })).toBeVisible();
  await developer.reload();
  await expect(developer.getByRole("button", { name: "Create API" })).toBeVisible();

  await admin.getByRole("button", { name: "Delete release-team" }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Delete role" }).click();
  await expect(admin.getByText("1 user with it", { exact: false })).toBeVisible();

  // A scope asks for it by its name.
  const made = await (await rest("admin")).must("POST", "/apis", {
    name: "Rooms",
    context: "/rooms",
    version: "1.0",
    description: "",
    endpoints: { production: { url: "ws://localhost:1/" } },
    plans: ["Gold"],
    scopes: [{ name: "room:run" }],
  });
  await admin.goto(`/publisher/apis/${made.id}/topics`);
  const choice = admin.getByRole("group", { name: "Roles that may have scope 1" });
  await choice.getByRole("checkbox", { name: "release-team" }).check();
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await expect(admin.getByRole("button", { name: "Save", exact: true })).toBeDisabled();
  await admin.reload();
  await expect(choice.getByRole("checkbox", { name: "release-team" })).toBeChecked();
});
