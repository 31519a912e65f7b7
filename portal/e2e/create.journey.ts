// The create form: rules told beside the fields by the page and by the control plane, and nothing typed is lost.
import type { Page } from "@playwright/test";
import { expect, publishEcho, test } from "./journey";

function fields(page: Page) {
  return {
    name: page.getByLabel("Name"),
    context: page.getByLabel("Context"),
    version: page.getByLabel("Version"),
    endpoint: page.getByRole("textbox", { name: "Endpoint" }),
    gold: page.getByRole("checkbox", { name: "Gold", exact: true }),
    create: page.getByRole("button", { name: "Create", exact: true }),
    publish: page.getByRole("button", { name: "Create & publish" }),
  };
}

test("the page tells a broken rule beside its field, as soon as the field is left", async ({ as }) => {
  const page = await as("admin");
  await page.goto("/publisher/apis/new/websocket");
  const { name, context, version, endpoint, create, publish } = fields(page);
  const rules: [typeof name, string, string][] = [
    [name, "Orders/EU", "A name cannot contain “/”."],
    [name, "x".repeat(51), "A name has at most 50 characters."],
    [context, "/a b", "A context cannot contain “ ”."],
    [context, "/orders/", "A context cannot end in “/”."],
    [version, "1 0", "A version cannot contain spaces."],
    [endpoint, "http://localhost:8080", "The address must begin with ws:// or wss:// (secured)."],
    [endpoint, "ws://", "The address names no host."],
  ];
  for (const [field, text, told] of rules) {
    await field.fill(text);
    await field.blur();
    await expect(field).toHaveAccessibleDescription(new RegExp(escaped(told)));
    await expect(field).toHaveAttribute("aria-invalid", "true");
  }
  await expect(publish).toBeDisabled();
  await expect(
    page.getByText(
      "To publish at once, enter a valid name, a valid context, a valid version, a valid endpoint, and at least one business plan.",
    ),
  ).toBeVisible();
  await create.click();
  await expect(page).toHaveURL(/new\/websocket$/);
  await expect(name).toBeFocused();
  await expect(version).toHaveValue("1 0");
});

test("the control plane's refusal stands beside the field, and what was typed stays", async ({
  as,
  product,
  rest,
}) => {
  const admin = await rest("admin");
  await publishEcho(admin, product);
  const page = await as("admin");
  await page.goto("/publisher/apis/new/websocket");
  const { name, context, version, endpoint, gold, publish } = fields(page);
  await name.fill("Orders");
  await context.fill("/echowebsocket");
  await version.fill("2.0");
  await endpoint.fill(product.addresses.echo);
  await gold.check();
  await publish.click();
  await expect(context).toHaveAccessibleDescription(
    /This context is taken by EchoWebSocket 1\.0\. Choose another, or make a new version of it\./,
  );
  await expect(context).toBeFocused();
  await expect(name).toHaveValue("Orders");
  await expect(version).toHaveValue("2.0");
  await expect(endpoint).toHaveValue(product.addresses.echo);
  await expect(gold).toBeChecked();
  expect((await admin.must("GET", "/apis?q=Orders")).items).toEqual([]);

  // The mended form goes through; the product being away for a moment costs nothing but a second press.
  await context.fill("/orders");
  await page.route("**/api/v1/apis", (route) => route.abort());
  await publish.click();
  await expect(page.getByText("Tidegate does not answer")).toBeVisible();
  await expect(name).toHaveValue("Orders");
  await page.unroute("**/api/v1/apis");
  await publish.click();
  await expect(page.getByRole("heading", { name: "Orders" })).toBeVisible();
  await expect(page.getByRole("region", { name: "State" }).getByText("Published")).toBeVisible();
});

test("what is still missing to publish is a list of links that turns green by itself", async ({
  as,
  product,
}) => {
  const page = await as("admin");
  await page.goto("/publisher/apis/new/websocket");
  await fields(page).name.fill("Orders");
  await fields(page).create.click();
  const ready = page.getByRole("region", { name: "Ready to publish" });
  await expect(ready.getByRole("img", { name: "Open" })).toHaveCount(2);
  await ready.getByRole("link", { name: "Endpoint" }).click();
  await page.getByLabel("Production endpoint", { exact: true }).fill(product.addresses.echo);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved to the working copy")).toBeVisible();
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(ready.getByRole("img", { name: "Open" })).toHaveCount(1);
  await ready.getByRole("link", { name: "Business plans" }).click();
  await page.getByRole("checkbox", { name: "Silver", exact: true }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(ready.getByRole("img", { name: "Done" })).toHaveCount(3);
  await ready.getByRole("link", { name: "Go to Lifecycle to publish" }).click();
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("region", { name: "State" }).getByText("Revision 1")).toBeVisible();
  await expect(ready).toHaveCount(0);
});

test("the form is filled in by keyboard alone", async ({ as, product }) => {
  const page = await as("admin");
  await page.goto("/publisher/apis/new/websocket");
  const { name, context, version, endpoint, gold, create, publish } = fields(page);
  await expect(name).toBeFocused();
  await page.keyboard.type("Orders");
  await page.keyboard.press("Tab");
  await expect(context).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(version).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(endpoint).toBeFocused();
  await page.keyboard.type(product.addresses.echo);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Test endpoint" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("status").getByText("The backend answers")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(gold).toBeFocused();
  await page.keyboard.press("Space");
  await expect(gold).toBeChecked();
  // Over the other plans.
  const plans = await page.getByRole("checkbox").count();
  for (let plan = 0; plan < plans; plan += 1) await page.keyboard.press("Tab");
  await expect(create).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(publish).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Orders" })).toBeVisible();
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
