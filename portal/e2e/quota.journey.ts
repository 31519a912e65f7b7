// What is used of a plan: an administrator makes the plan, a publisher offers it, a developer subscribes and sends, and all of
// them see the same number.
import type { Locator, Page } from "@playwright/test";
import { expect, publishEcho, subscribed, test } from "./journey";

/** The meter of the plan's only limit, as it is told to those who hear the page. */
const meter = (page: Page | Locator, of: string): Locator =>
  page.getByRole("meter", { name: `Messages per day used by ${of}` });

test("developer and publisher see what the gateway counts", async ({ as, product, rest }) => {
  const admin = await as("admin");
  await admin.goto("/admin/limits");
  await admin.getByRole("button", { name: "Create business plan" }).click();
  const making = admin.getByRole("dialog", { name: "Create business plan" });
  await making.getByRole("textbox", { name: "Name" }).fill("Ten");
  await making.getByLabel("Amount of limit 1").fill("10");
  await making.getByLabel("Time of limit 1").selectOption("day");
  await making.getByRole("button", { name: "Create business plan" }).click();
  await expect(admin.getByRole("row", { name: /^Ten 10 messages per day/ })).toBeVisible();

  const publishing = await rest("admin");
  const api = await publishEcho(publishing, product, { plans: ["Ten"] });
  const application = await subscribed(await rest("developer"), api.id, "Ten");

  const developer = await as("developer");
  await developer.goto(`/devportal/applications/${application.id}/subscriptions`);
  await expect(developer.getByText("0 of 10 messages used this day, 10 left")).toBeVisible();

  const sender = await developer.context().newPage();
  await sender.goto(`/devportal/apis/${api.id}/console?application=${application.id}`);
  const session = sender.getByRole("complementary", { name: "Session" });
  await sender.getByRole("button", { name: "Connect", exact: true }).click();
  await expect(session.getByText("Open")).toBeVisible();
  const message = sender.getByLabel("Message to send");
  for (const text of ["one", "two", "three"]) {
    await message.fill(text);
    await message.press("Control+Enter");
  }

  // Each comes back, so that six are used.
  const words = "6 of 10 messages used this day, 4 left";
  await expect(developer.getByText(words)).toBeVisible();
  await expect(meter(developer, `${api.name} ${api.version}`)).toHaveAttribute("value", "6");
  const publisher = await as("publisher");
  await publisher.goto(`/publisher/apis/${api.id}/subscriptions`);
  const row = publisher.getByRole("row", { name: /^Shop developer Ten/ });
  await expect(row.getByText(words)).toBeVisible();
  await expect(meter(row, "Shop")).toHaveAttribute("value", "6");
  await admin.goto(`/publisher/apis/${api.id}/subscriptions`);
  await expect(admin.getByText(words)).toBeVisible();

  await developer.goto(`/devportal/applications/${application.id}`);
  await expect(developer.getByText("Unlimited", { exact: true })).toBeVisible();
  await expect(developer.getByText("Dropped by limits")).toBeVisible();
});
