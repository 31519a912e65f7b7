// The terms of a plan: an administrator sells it to people of one role, who may choose it, and nobody else is offered it.
import { expect, publishEcho, test } from "./journey";

test("a plan for one role says what it costs, to whoever may choose it", async ({ as, product, rest }) => {
  const administrator = await rest("admin");
  await administrator.must("POST", "/roles", { name: "partner" });
  const admin = await as("admin");
  await admin.goto("/admin/limits");
  await admin.getByRole("button", { name: "Create business plan" }).click();
  const making = admin.getByRole("dialog", { name: "Create business plan" });
  await making.getByRole("textbox", { name: "Name" }).fill("Partners");
  await making.getByRole("checkbox", { name: "partner", exact: true }).check();
  await making.getByRole("checkbox", { name: "Commercial" }).check();
  await making.getByLabel("Currency").fill("chf");
  await making.getByRole("textbox", { name: "Price", exact: true }).fill("a lot");
  const create = making.getByRole("button", { name: "Create business plan" });
  await create.click();
  await expect(making.getByText(/A price is a decimal such as 49\.00/).first()).toBeVisible();
  await making.getByRole("textbox", { name: "Price", exact: true }).fill("49");
  await create.click();
  const sold = "1,000 messages per minute · CHF 49.00 per month · Only for partner";
  await expect(admin.getByRole("row", { name: `Partners ${sold}` })).toBeVisible();

  const api = await publishEcho(administrator, product, { plans: ["Gold", "Partners"] });
  const developer = await as("developer");
  await developer.goto(`/devportal/apis/${api.id}`);
  await expect(developer.getByText("CHF 49.00 per month")).toBeVisible();
  const shop = await (await rest("developer")).must("POST", "/applications", { name: "Shop" });
  await developer.goto(`/devportal/apis/${api.id}/keys?application=${shop.id}`);
  const plans = developer.getByRole("radiogroup", { name: "Plan" });
  await expect(plans.getByRole("radio", { name: "Gold" })).toBeChecked();
  await expect(plans.getByRole("radio")).toHaveCount(1);

  await admin.goto("/admin/users");
  await admin.getByRole("link", { name: "developer", exact: true }).click();
  await admin.getByRole("checkbox", { name: "partner", exact: true }).check();
  await admin.getByRole("button", { name: "Save roles" }).click();
  await expect(admin.getByRole("button", { name: "Save roles" })).toBeDisabled();
  await developer.reload();
  await plans.getByRole("radio", { name: "Partners" }).check();
  await developer.getByRole("button", { name: "Subscribe" }).click();
  await expect(developer.getByText("Shop is subscribed under Partners")).toBeVisible();
});
